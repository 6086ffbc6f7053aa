"""The life cycle of keys: create, rotate, extend, revoke.

Every function keeps the folder of keys consistent at each step: it first writes the files of a new
key, then its entry in the registry, and last what is derived from the registry.
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

VALID_DAYS: Final = 1095
"""The default validity of keys that sign from the start."""
ROTATED_DAYS: Final = 2 * VALID_DAYS
"""The same for a key made by a rotation: the new next key replaces the current one when that
expires. The key ceremony makes the first next key valid for twice the days as well."""


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
    """Create a key, or register a key of AWS KMS.

    Args:
        keys: The folder of keys.
        purpose: What the key will sign.
        now: Seconds since 1970.
        expires: Seconds since 1970; ignored for metadata keys, which do not expire.
        state: Current or next.
        kms: The name of a key at AWS KMS; empty for a new key in a file.
        together: Other keys to change in the registry in the same step.

    Raises:
        SigningFailure: The key cannot be created, or there is one with this purpose and state.
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
    """Check that a purpose has one key at a time, and that no KMS key is registered twice.

    Raises:
        SigningFailure: There is another key already.
    """
    leaving = {key.name for key in together}
    there = [key for key in keys.facts(purpose, state) if key.name not in leaving]
    if there and purpose is not Purpose.ROOT:
        raise SigningFailure(
            f"{there[0].name} is the {state} key for {purpose} already, and there can be only one",
            hint=f"to replace it, run: awstoe-signing rotate --purpose {purpose} --directory"
            f" {keys.folder}",
        )
    twin = next((key for key in keys.facts() if kms and key.backend == kms), None)
    if twin is not None:
        raise SigningFailure(
            f"{kms} is {twin.name} already: a key can be registered only once",
            hint="create another key at AWS KMS, and use that",
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
    """Write the public key; in a rehearsal, a certificate by an authority whose key is thrown away.

    Otherwise ``certify`` adds the certificate. Until then, the key has no fingerprint.
    """
    if not isinstance(signer.public_key, rsa.RSAPublicKey):
        raise SigningFailure(f"{signer.name} is not RSA: Windows programs are signed with RSA keys")
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
    """Register the certificate that a public authority has issued for a key.

    Args:
        keys: The folder of keys.
        name: The key's name.
        chain: The certificate first, then its authorities up to the root.

    Raises:
        SigningFailure: The certificate is for another key or purpose, or does not lead to the
            root, or the key has another certificate already.
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
        raise SigningFailure(f"no signature with it would be trusted: {error.message}") from error
    if found != list(chain):
        raise SigningFailure(
            "the certificates are not one chain in order",
            hint="expected the signer's certificate first, then its issuer, and so on to the root",
        )
    if key.fingerprint not in ("", _thumbprint(chain[0])):
        # Programs would lose the old one: the files that it signed, or that it is revoked.
        raise SigningFailure(
            f"the key {name} has another certificate already: {key.fingerprint}",
            hint="a new certificate needs a new key: awstoe-signing create --purpose authenticode"
            f" --state next --directory {keys.folder}",
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
    """Return the name that Windows uses for a certificate. It is not a protection."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303


def read_chain(keys: KeyDirectory, key: KeyFacts) -> list[x509.Certificate]:
    """Return an Authenticode key's certificate and those up to the root.

    Raises:
        SigningFailure: They cannot be read.
    """
    name = f"{key.name}.pem"
    try:
        return x509.load_pem_x509_certificates(keys.read("public", name))
    except ValueError as error:
        raise SigningFailure(f"public/{name} has no certificates: {error}") from error


def authenticode_key(keys: KeyDirectory, name: str = "") -> tuple[KeyFacts, list[x509.Certificate]]:
    """Return an Authenticode key with its chain: the current key, or the one with a name.

    Raises:
        SigningFailure: It must not sign, or has no certificate yet.
    """
    key = keys.key(name) if name else keys.only(Purpose.AUTHENTICODE)
    _check_signs(key, Purpose.AUTHENTICODE)
    if not key.fingerprint:
        raise SigningFailure(
            f"the key {key.name} has no certificate yet",
            hint="run: awstoe-signing request, then awstoe-signing certify",
        )
    return key, read_chain(keys, key)


def certificate(keys: KeyDirectory, key: KeyFacts) -> openpgp_certificates.Certificate:
    """Return an OpenPGP key's certificate.

    Raises:
        SigningFailure: It cannot be read.
    """
    name = f"{key.name}.asc"
    return openpgp_certificates.read(keys.read("public", name), f"public/{name}")


def openpgp_key(keys: KeyDirectory, name: str = "") -> tuple[signing.Key, Keyring]:
    """Return an OpenPGP key and the keyring to verify it with: the current key, or one by name.

    Raises:
        SigningFailure: It cannot be opened, or must not sign.
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
    """Replace the current key for a purpose with the next key.

    OpenPGP: there is always a next key, which programs already know. A new next key is created.
    Others: if there is no next key, a new key signs immediately.
    Metadata: a new root names the keys that sign from now on.
    Authenticode: the old thumbprint stays published for the files that it signed. Except in a
    rehearsal, the next key must have its certificate, so that some key can sign at all times.

    Args:
        keys: The folder of keys.
        purpose: What the key signs.
        now: Seconds since 1970.
        expires: When a new key expires.
        kms: The new key's name at AWS KMS; empty for a key in a file.
        name: The current key to replace; the oldest if empty.

    Raises:
        SigningFailure: A next key is needed but missing, or a key cannot be opened.
    """
    current = keys.facts(purpose, KeyState.CURRENT)
    if name and keys.key(name) not in current:
        raise SigningFailure(
            f"{name} is not a current key for {purpose}",
            hint=f"expected one of {', '.join(key.name for key in current)}" if current else None,
        )
    # If the current key was revoked, there is none.
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
            f"{following[0].name} is the next key for {purpose} and would sign instead of {kms}",
            hint="run the command without --kms",
        )
    else:
        keys.put(*changed, following[0]._replace(state=KeyState.CURRENT))
    if purpose in METADATA:
        tuf_root.write(keys, now=now)


def _check_certified(keys: KeyDirectory, following: Sequence[KeyFacts]) -> None:
    """Check that the next Authenticode key can sign when the current one is retired.

    Raises:
        SigningFailure: It has no certificate.
    """
    if following and not following[0].fingerprint:
        raise SigningFailure(
            f"the key {following[0].name} has no certificate yet and could not sign",
            hint="run these commands of awstoe-signing: request, certify, rotate",
        )
    if not following and not keys.release.is_rehearsal:
        raise SigningFailure(
            "there is no next key for authenticode, and a new key could not sign yet",
            hint="run these commands of awstoe-signing: create --purpose authenticode --state next,"
            " request, certify, rotate",
        )


def expire(keys: KeyDirectory, name: str, *, now: int, expires: int) -> None:
    """Change the expiry of an OpenPGP key to a later or earlier time.

    Raises:
        SigningFailure: It is not an OpenPGP key, or cannot be opened.
    """
    key = _openpgp(keys, name)
    renewed = openpgp_certificates.renew(
        certificate(keys, key), keys.open(key), now=now, expires=expires
    )
    _write_certificate(keys, name, renewed)
    keys.put(key._replace(expires=expires))


def revoke(keys: KeyDirectory, name: str, *, now: int, reason: str, text: str = "") -> str:
    """Revoke a key: none of its signatures is trusted any more.

    If an OpenPGP key cannot be opened, the revocation that was made together with it is used.
    Metadata keys cannot be revoked: ``rotate`` replaces them with a root that does not name them.

    Returns:
        Why the prepared revocation was used, which states no reason; empty if it was not used.

    Raises:
        SigningFailure: It is a metadata key, or there is no such key.
    """
    key = keys.key(name)
    if key.purpose in METADATA:
        if key.state is not KeyState.CURRENT:
            raise SigningFailure(
                f"{name} is a {key.state} metadata key: no root trusts it, because a root names"
                " only current keys"
            )
        raise SigningFailure(
            f"{name} is a metadata key, which cannot be revoked, only replaced by a new root",
            hint=f"run: awstoe-signing rotate --purpose {key.purpose} --name {name} --directory"
            f" {keys.folder}",
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
    """Return the whole days until a key or a root expires."""
    return (expires - now) // _DAY_SECONDS


def after(now: int, days: int) -> int:
    """Return the time a number of days after ``now``.

    Raises:
        SigningFailure: OpenPGP cannot represent it.
    """
    result = now + days * _DAY_SECONDS
    if days <= 0 or result >= 1 << 32:
        raise SigningFailure(f"--days: expected 1 or more, and an expiry before 2106, got {days}")
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
