"""The life of keys: made, rotated, given another expiry, revoked; and what programs are told of it.

Every function leaves the folder of keys consistent at each step: first the files of a new key, then
its row in the book, at last what is derived from the book.
"""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from awstoe.errors import TrustError
from awstoe.trust.authenticode import chain as authenticode_chain
from awstoe.trust.authenticode.chain import CODE_SIGNING
from awstoe.trust.openpgp import keyring
from awstoe.trust.openpgp.keyring import Keyring
from awstoe.trust.policy import KeyState
from awstoe_signing.authenticode import certificates as authenticode_certificates
from awstoe_signing.authenticode.certificates import Validity
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.directory import IN_FILE, METADATA, KeyDirectory, KeyFacts, Purpose, moment
from awstoe_signing.keys.signers import LocalSigner, PrivateKey, PublicKey, Signer
from awstoe_signing.openpgp import certificates as openpgp_certificates
from awstoe_signing.openpgp import sign as signing
from awstoe_signing.tuf import repository as tuf_repository
from awstoe_signing.tuf import root as tuf_root

_OPENPGP_BITS: Final = 4096
_AUTHENTICODE_BITS: Final = 3072
_EXPONENT: Final = 65537
_AUTHORITY: Final = "authenticode-authority"
_DAY_SECONDS: Final = 86400


def create(
    keys: KeyDirectory,
    purpose: Purpose,
    *,
    now: int,
    expires: int,
    state: KeyState = KeyState.CURRENT,
    kms: str = "",
    together: Sequence[KeyFacts] = (),
) -> KeyFacts:
    """Make a key, or take one of AWS KMS into the book.

    Args:
        keys: Where it goes.
        purpose: What it will sign.
        now: Seconds since 1970.
        expires: Seconds since 1970; keys of metadata have no expiry of their own.
        state: Current or next.
        kms: The name of a key at AWS KMS; empty for a new key in a file.
        together: What becomes of other keys at the same moment.

    Raises:
        SigningFailure: It cannot be made, or the place is taken.
    """
    _check_place(keys, purpose, state, kms, together)
    name = keys.free_name(purpose)
    if kms:
        from awstoe_signing.keys.kms import KmsSigner  # noqa: PLC0415 - boto3 takes half a second

        signer: Signer = KmsSigner(kms)
    else:
        private_key = _new_private_key(purpose)
        keys.store(name, private_key)
        signer = LocalSigner(private_key, name)
    expiry: int | None = expires
    if purpose is Purpose.OPENPGP:
        fingerprint = _publish_openpgp(keys, name, signer, now, expires)
    elif purpose is Purpose.AUTHENTICODE:
        fingerprint = _publish_authenticode(keys, name, signer, now, expires)
        expiry = expires if fingerprint else None
    else:
        fingerprint, expiry = tuf_repository.public_key(signer.public_key).keyid, None
        keys.write(_public_pem(signer.public_key), "public", f"{name}.pem")
    made = KeyFacts(name, purpose, state, kms or IN_FILE, fingerprint, now, expiry)
    keys.put(*together, made)
    return made


def _check_place(
    keys: KeyDirectory, purpose: Purpose, state: KeyState, kms: str, together: Sequence[KeyFacts]
) -> None:
    """Refuse a second key where there is one at a time, and one key in two places.

    Raises:
        SigningFailure: The place is taken.
    """
    leaving = {key.name for key in together}
    there = [key for key in keys.facts(purpose, state) if key.name not in leaving]
    if there and purpose is not Purpose.ROOT:
        raise SigningFailure(
            f"{there[0].name} is the {state} key for {purpose} already, and there is one at a time",
            hint=f"rotate --purpose {purpose} lets another one sign",
        )
    twin = next((key for key in keys.facts() if kms and key.backend == kms), None)
    if twin is not None:
        raise SigningFailure(
            f"{kms} is {twin.name} already: each key is one of its own",
            hint="make another key at AWS KMS, and name that",
        )


def _new_private_key(purpose: Purpose) -> PrivateKey:
    if purpose is Purpose.OPENPGP:
        return rsa.generate_private_key(_EXPONENT, _OPENPGP_BITS)
    if purpose is Purpose.AUTHENTICODE:
        return rsa.generate_private_key(_EXPONENT, _AUTHENTICODE_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _publish_openpgp(keys: KeyDirectory, name: str, signer: Signer, now: int, expires: int) -> str:
    made = openpgp_certificates.create(signer, keys.release.user_id, created=now, expires=expires)
    revocation = openpgp_certificates.revocation(made, signer, now=now, reason="unspecified")
    keys.write(signing.armored(revocation, signing.PUBLIC_KEY_BLOCK), "revocations", f"{name}.asc")
    _write_certificate(keys, name, made)
    return made.public.fingerprint


def _publish_authenticode(
    keys: KeyDirectory, name: str, signer: Signer, now: int, expires: int
) -> str:
    """In a rehearsal, a certificate of a throw-away authority, whose key nobody keeps.

    Else the certificate comes later (``certify``), and until then the key has no fingerprint.
    """
    if not isinstance(signer.public_key, rsa.RSAPublicKey):
        raise SigningFailure(f"{signer.name} is not RSA: Windows programs are signed with RSA here")
    if not keys.release.is_rehearsal:
        keys.write(_public_pem(signer.public_key), "public", f"{name}.pem")
        return ""
    product = keys.release.product
    validity = Validity(moment(now), moment(expires))
    private_key = rsa.generate_private_key(_EXPONENT, _AUTHENTICODE_BITS)
    authority = authenticode_certificates.make_root(
        LocalSigner(private_key, _AUTHORITY), f"{product} throw-away authority", validity
    )
    certificate = authenticode_certificates.issue(
        authority, signer.public_key, product, CODE_SIGNING, validity
    )
    return _write_chain(keys, name, [certificate, authority.certificate])


def certify(keys: KeyDirectory, name: str, chain: Sequence[x509.Certificate]) -> KeyFacts:
    """Take the certificate that a public authority has made for a key into the book.

    Args:
        keys: The folder.
        name: The key's.
        chain: The certificate first, then its authorities up to the root.

    Raises:
        SigningFailure: It is for another key or purpose, or does not lead to the root; or the key
            has another certificate already.
    """
    key = keys.key(name)
    if key.purpose is not Purpose.AUTHENTICODE:
        raise SigningFailure(f"{name} is a key for {key.purpose}: expected one for authenticode")
    if _spki(chain[0].public_key()) != _spki(keys.open(key).public_key):
        raise SigningFailure(f"the certificate is not for the key {name}")
    try:
        at = max(each.not_valid_before_utc for each in chain)
        found = authenticode_chain.find(chain[0], chain[1:-1], chain[-1:], CODE_SIGNING, at)
    except TrustError as error:
        raise SigningFailure(f"nothing signed with it would count: {error.message}") from error
    if found != list(chain):
        raise SigningFailure(
            "the certificates are not one chain in its order",
            hint="expected the signer's certificate first, each then by the next, the root last",
        )
    if key.fingerprint not in ("", _thumbprint(chain[0])):
        # Programs would forget the old one: what it has signed, or that it is revoked.
        raise SigningFailure(
            f"the key {name} has another certificate already: {key.fingerprint}",
            hint="a new certificate is for a new key: create --purpose authenticode --state next",
        )
    fingerprint = _write_chain(keys, name, chain)
    expires = int(chain[0].not_valid_after_utc.timestamp())
    changed = key._replace(fingerprint=fingerprint, expires=expires)
    keys.put(changed)
    return changed


def _write_chain(keys: KeyDirectory, name: str, chain: Sequence[x509.Certificate]) -> str:
    data = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
    keys.write(data, "public", f"{name}.pem")
    return _thumbprint(chain[0])


def _thumbprint(certificate: x509.Certificate) -> str:
    """How Windows names a certificate; it protects nothing."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303


def read_chain(keys: KeyDirectory, key: KeyFacts) -> list[x509.Certificate]:
    """An Authenticode key's certificate, and those up to the root.

    Raises:
        SigningFailure: They cannot be read.
    """
    name = f"{key.name}.pem"
    try:
        return x509.load_pem_x509_certificates(keys.read("public", name))
    except ValueError as error:
        raise SigningFailure(f"public/{name} has no certificates: {error}") from error


def authenticode_key(keys: KeyDirectory, name: str = "") -> tuple[KeyFacts, list[x509.Certificate]]:
    """The Authenticode key that signs, with its chain: the current one, or one by its name.

    Raises:
        SigningFailure: It must not sign, or has no certificate yet.
    """
    key = keys.key(name) if name else keys.only(Purpose.AUTHENTICODE)
    _check_signs(key, Purpose.AUTHENTICODE)
    if not key.fingerprint:
        raise SigningFailure(
            f"the key {key.name} has no certificate yet", hint="use: request, then certify"
        )
    return key, read_chain(keys, key)


def certificate(keys: KeyDirectory, key: KeyFacts) -> openpgp_certificates.Certificate:
    """An OpenPGP key's certificate.

    Raises:
        SigningFailure: It cannot be read.
    """
    name = f"{key.name}.asc"
    return openpgp_certificates.read(keys.read("public", name), f"public/{name}")


def openpgp_key(keys: KeyDirectory, name: str = "") -> tuple[signing.Key, Keyring]:
    """The OpenPGP key that signs, and what users check it with: the current one, or one by name.

    Raises:
        SigningFailure: It cannot be had, or must not sign.
    """
    key = keys.key(name) if name else keys.only(Purpose.OPENPGP)
    _check_signs(key, Purpose.OPENPGP)
    found = certificate(keys, key)
    return found.key(keys.open(key)), keyring.read(found.to_bytes(), f"public/{key.name}.asc")


def _check_signs(key: KeyFacts, purpose: Purpose) -> None:
    if key.purpose is not purpose or key.state in (KeyState.REVOKED, KeyState.RETIRED):
        raise SigningFailure(f"{key.name} is a {key.state} key for {key.purpose}: it does not sign")


def rotate(
    keys: KeyDirectory,
    purpose: Purpose,
    *,
    now: int,
    expires: int,
    kms: str = "",
    name: str = "",
) -> None:
    """Let the next key of a purpose sign from now on, in place of the current one.

    OpenPGP: there is always a next key, which programs know already; another one is made.
    Others: where there is no next key, a new one signs at once.
    Metadata: a new root names the keys that sign from now on.
    Authenticode: the old thumbprint stays published for what it has signed. Outside a rehearsal
    the next key must have its certificate, so that there is never a time when nothing can sign.

    Args:
        keys: The folder.
        purpose: What the key signs.
        now: Seconds since 1970.
        expires: When a new key expires.
        kms: The new key's name at AWS KMS; empty for one in a file.
        name: The current key that signs no more; the oldest when empty.

    Raises:
        SigningFailure: There is no next key where one is needed, or one cannot be had.
    """
    current = keys.facts(purpose, KeyState.CURRENT)
    if name and keys.key(name) not in current:
        raise SigningFailure(
            f"{name} is no current key for {purpose}",
            hint=f"expected one of {', '.join(key.name for key in current) or 'none'}",
        )
    # There is no current key where it was revoked.
    old = [key for key in current if not name or key.name == name][:1]
    changed = [key._replace(state=KeyState.RETIRED) for key in old]
    following = keys.facts(purpose, KeyState.NEXT)
    if purpose is Purpose.OPENPGP:
        promoted = keys.only(Purpose.OPENPGP, KeyState.NEXT)._replace(state=KeyState.CURRENT)
        changed.append(promoted)
        state = KeyState.NEXT
        create(keys, purpose, now=now, expires=expires, state=state, kms=kms, together=changed)
        return
    if purpose is Purpose.AUTHENTICODE and changed:
        _check_certified(keys, following)
    if purpose in METADATA:
        tuf_root.check_keys(keys)
    if not following:
        create(keys, purpose, now=now, expires=expires, kms=kms, together=changed)
    elif kms:
        raise SigningFailure(
            f"{following[0].name} is the next key for {purpose}, and signs after this: there is no"
            f" place for {kms}",
            hint="leave --kms out",
        )
    else:
        keys.put(*changed, following[0]._replace(state=KeyState.CURRENT))
    if purpose in METADATA:
        tuf_root.write(keys, now=now)


def _check_certified(keys: KeyDirectory, following: Sequence[KeyFacts]) -> None:
    """Make sure that the next Authenticode key can sign when the current one is retired.

    Raises:
        SigningFailure: It has no certificate.
    """
    if following and not following[0].fingerprint:
        raise SigningFailure(
            f"the key {following[0].name} has no certificate yet, and could not sign",
            hint="use: request, then certify, then rotate",
        )
    if not following and not keys.release.is_rehearsal:
        raise SigningFailure(
            "there is no next key for authenticode, and a new one could not sign yet",
            hint="use: create --purpose authenticode --state next, request, certify, then rotate",
        )


def expire(keys: KeyDirectory, name: str, *, now: int, expires: int) -> None:
    """Give an OpenPGP key another expiry, later or earlier.

    Raises:
        SigningFailure: It is no OpenPGP key, or cannot be had.
    """
    key = _openpgp(keys, name)
    renewed = openpgp_certificates.renew(
        certificate(keys, key), keys.open(key), now=now, expires=expires
    )
    _write_certificate(keys, name, renewed)
    keys.put(key._replace(expires=expires))


def revoke(keys: KeyDirectory, name: str, *, now: int, reason: str, text: str = "") -> str:
    """Take a key back: nothing that it has signed counts any more.

    An OpenPGP key that cannot be had any more is revoked by the revocation that was made with it.
    A metadata key is replaced by ``rotate``: a root that does not name it takes it back.

    Returns:
        Why that revocation, which states no reason, was taken; empty if it was not.

    Raises:
        SigningFailure: It is a key of metadata, or there is no such key.
    """
    key = keys.key(name)
    if key.purpose in METADATA:
        raise SigningFailure(
            f"{name} is a key of metadata, which a new root takes back",
            hint=f"use: rotate --purpose {key.purpose}",
        )
    missing = ""
    if key.purpose is Purpose.OPENPGP:
        found = certificate(keys, key)
        try:
            packet = openpgp_certificates.revocation(
                found, keys.open(key), now=now, reason=reason, text=text
            )
        except SigningFailure as failure:
            missing = failure.message
            packet = keys.read("revocations", f"{name}.asc")
        _write_certificate(keys, name, openpgp_certificates.revoked(found, packet))
    keys.put(key._replace(state=KeyState.REVOKED))
    return missing


def days_left(expires: int, now: int) -> int:
    """Whole days until a key or a root expires."""
    return (expires - now) // _DAY_SECONDS


def after(now: int, days: int) -> int:
    """The time so many days from ``now``.

    Raises:
        SigningFailure: OpenPGP has no number for it.
    """
    result = now + days * _DAY_SECONDS
    if days <= 0 or result >= 1 << 32:
        raise SigningFailure(f"expected a number of days that ends before 2106, got {days}")
    return result


def _openpgp(keys: KeyDirectory, name: str) -> KeyFacts:
    key = keys.key(name)
    if key.purpose is not Purpose.OPENPGP:
        raise SigningFailure(f"{name} is a key for {key.purpose}: expected one for openpgp")
    return key


def _write_certificate(
    keys: KeyDirectory, name: str, found: openpgp_certificates.Certificate
) -> None:
    text = signing.armored(found.to_bytes(), signing.PUBLIC_KEY_BLOCK)
    keys.write(text, "public", f"{name}.asc")


def _public_pem(key: PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _spki(key: object) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SigningFailure("the certificate has neither an RSA nor an elliptic-curve key")
    return _public_pem(key)
