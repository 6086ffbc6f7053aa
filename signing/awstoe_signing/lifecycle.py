"""The life of keys: made, rotated, given another expiry, revoked; and what programs are told of it.

Every function leaves the folder of keys consistent at each step: first the files of a new key, then
its row in the book, at last what is derived from the book.
"""

import json
import os
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from awstoe.errors import TrustError
from awstoe.trust import authenticode_chain, keyring, release_trust
from awstoe.trust.authenticode_chain import CODE_SIGNING
from awstoe.trust.keyring import Keyring
from awstoe.trust.policy import KeyState
from awstoe_signing import authenticode_certificates, metadata, openpgp_certificates
from awstoe_signing import openpgp_signing as signing
from awstoe_signing.authenticode_certificates import Validity
from awstoe_signing.failure import SigningFailure
from awstoe_signing.key_directory import (
    IN_FILE,
    METADATA,
    KeyDirectory,
    KeyFacts,
    Purpose,
    moment,
)
from awstoe_signing.metadata import RoleKeys
from awstoe_signing.signers import LocalSigner, PrivateKey, PublicKey, Signer

ROOT_THRESHOLD: Final = 2
"""How many root keys must sign a root, where there are so many."""

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
        SigningFailure: It cannot be made.
    """
    name = keys.free_name(purpose)
    if kms:
        from awstoe_signing.kms import KmsSigner  # noqa: PLC0415 - boto3 takes half a second

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
        fingerprint, expiry = metadata.public_key(signer.public_key).keyid, None
        keys.write(_public_pem(signer.public_key), "public", f"{name}.pem")
    made = KeyFacts(name, purpose, state, kms or IN_FILE, fingerprint, now, expiry)
    keys.put(*together, made)
    return made


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
        keys: Where the key is: in its file, or at AWS KMS, under a row of the book or not yet.
        name: The key's.
        chain: The certificate first, then its authorities up to the root.

    Raises:
        SigningFailure: It is for another key or purpose, or does not lead to the root.
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
    fingerprint = _write_chain(keys, name, chain)
    expires = int(chain[0].not_valid_after_utc.timestamp())
    changed = key._replace(fingerprint=fingerprint, expires=expires)
    keys.put(changed)
    return changed


def _write_chain(keys: KeyDirectory, name: str, chain: Sequence[x509.Certificate]) -> str:
    data = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
    keys.write(data, "public", f"{name}.pem")
    # How Windows names a certificate; it protects nothing.
    return chain[0].fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303


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


def rotate(keys: KeyDirectory, purpose: Purpose, *, now: int, expires: int, kms: str = "") -> None:
    """Let the next key of a purpose sign from now on.

    OpenPGP: the next key, which programs know already, becomes current, and a new next one is made.
    Metadata: a new key is made and a new root names it in place of the oldest one.
    Authenticode: a new certificate; the old thumbprint stays published for what it has signed.

    Raises:
        SigningFailure: There is no next key, or one cannot be had.
    """
    old = keys.facts(purpose, KeyState.CURRENT)
    if purpose is Purpose.OPENPGP:
        following = keys.only(Purpose.OPENPGP, KeyState.NEXT)
        # There is no current key where it was revoked.
        changed = [key._replace(state=KeyState.RETIRED) for key in old]
        changed.append(following._replace(state=KeyState.CURRENT))
        state = KeyState.NEXT
        create(keys, purpose, now=now, expires=expires, state=state, kms=kms, together=changed)
        return
    if purpose in METADATA:
        _check_root_keys(keys)
    changed = [key._replace(state=KeyState.RETIRED) for key in old[:1]]
    create(keys, purpose, now=now, expires=expires, kms=kms, together=changed)
    if purpose in METADATA:
        write_root(keys, now=now)


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


def write_root(keys: KeyDirectory, *, now: int) -> int:
    """Sign the next root, which names the current keys of metadata; gives its version.

    The keys of the root in force sign as well as the new ones, as far as they are at hand.

    Raises:
        SigningFailure: Too few of them are.
    """
    version = root_version(keys)
    before = _named_by_root(keys, Purpose.ROOT) if version else set()
    current = {purpose: keys.facts(purpose, KeyState.CURRENT) for purpose in METADATA}
    roles = {
        purpose.value: RoleKeys(
            tuple(_public_key(keys, key) for key in found),
            min(ROOT_THRESHOLD, len(found)) if purpose is Purpose.ROOT else 1,
        )
        for purpose, found in current.items()
    }
    signers = [
        keys.open(key)
        for key in keys.facts(Purpose.ROOT)
        if (key in current[Purpose.ROOT] or key.fingerprint in before) and keys.is_at_hand(key)
    ]
    expires = moment(now) + metadata.Expiries().root
    if version:
        force = keys.read("metadata", f"{version}.root.json")
        data = metadata.rotate_root(force, roles, signers, expires=expires)
    else:
        data = metadata.create_root(roles, signers, expires=expires)
    keys.write(data, "metadata", f"{version + 1}.root.json")
    return version + 1


def root_is_current(keys: KeyDirectory) -> bool:
    """Whether there is a root that names the current keys of the book."""
    return bool(root_version(keys)) and all(
        _named_by_root(keys, purpose)
        == {key.fingerprint for key in keys.facts(purpose, KeyState.CURRENT)}
        for purpose in METADATA
    )


def _named_by_root(keys: KeyDirectory, purpose: Purpose) -> set[str]:
    root = metadata.Repository(keys.path("metadata")).root()
    return set(root.roles[purpose.value].keyids)


def _check_root_keys(keys: KeyDirectory) -> None:
    """Make sure that a root can be signed, before anything is made that needs one.

    Raises:
        SigningFailure: Too few root keys are at hand.
    """
    found = keys.facts(Purpose.ROOT, KeyState.CURRENT)
    here = sum(keys.is_at_hand(key) for key in found)
    needed = min(ROOT_THRESHOLD, len(found))
    if here < needed:
        raise SigningFailure(
            f"a root is signed by {needed} root keys, and {here} are in {keys.path('private')}",
            hint="bring the media that they are kept on, and link the files to that place",
        )


def root_version(keys: KeyDirectory) -> int:
    """The number of the newest root; 0 if there is none."""
    return metadata.Repository(keys.path("metadata")).root_version()


def write_trust(keys: KeyDirectory) -> str:
    """Write the folder that ``make build TRUST=`` bakes in; gives its path.

    Raises:
        SigningFailure: A key that it needs is not there yet.
    """
    version = root_version(keys)
    if not version:
        raise SigningFailure(f"{keys.folder} has no root of trust metadata yet")
    keys.only(Purpose.OPENPGP)
    openpgp = keys.facts(Purpose.OPENPGP)
    certificates = b"".join(certificate(keys, key).to_bytes() for key in openpgp)
    authenticode = [
        key
        for key in keys.facts(Purpose.AUTHENTICODE)
        # Without a fingerprint it waits for its certificate, and has signed nothing yet.
        if key.state is not KeyState.REVOKED and key.fingerprint
    ]
    roots = {read_chain(keys, key)[-1] for key in authenticode}
    pem = sorted(each.public_bytes(serialization.Encoding.PEM) for each in roots)
    facts = {
        "format": release_trust.FORMAT,
        "product": keys.release.product,
        "rehearsal": keys.release.is_rehearsal,
        "url": keys.release.url,
        "openpgp": {key.fingerprint: key.state.value for key in openpgp},
        "authenticode": {"thumbprints": [key.fingerprint for key in authenticode]},
    }
    armored = signing.armored(certificates, signing.PUBLIC_KEY_BLOCK)
    keys.write(armored, "trust", release_trust.KEYRING)
    keys.write(keys.read("metadata", f"{version}.root.json"), "trust", release_trust.ROOT)
    keys.write(b"".join(pem), "trust", release_trust.AUTHENTICODE_ROOTS)
    stampers = b""
    if os.path.exists(keys.path("public", release_trust.STAMP_ROOTS)):
        stampers = keys.read("public", release_trust.STAMP_ROOTS)
    # Also when there are none: those of before must not stay.
    keys.write(stampers, "trust", release_trust.STAMP_ROOTS)
    # Last: the others without it are a development build.
    keys.write(json.dumps(facts, indent=4).encode() + b"\n", "trust", release_trust.FACTS)
    return keys.path("trust")


def days_left(key: KeyFacts, now: int) -> int | None:
    """Whole days until a key expires; None if it never does."""
    return None if key.expires is None else (key.expires - now) // _DAY_SECONDS


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


def _public_key(keys: KeyDirectory, key: KeyFacts) -> PublicKey:
    name = f"{key.name}.pem"
    found = serialization.load_pem_public_key(keys.read("public", name))
    if not isinstance(found, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SigningFailure(f"public/{name} has neither an RSA nor an elliptic-curve key")
    return found


def _spki(key: object) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SigningFailure("the certificate has neither an RSA nor an elliptic-curve key")
    return _public_pem(key)
