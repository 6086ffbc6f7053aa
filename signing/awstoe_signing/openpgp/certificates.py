"""OpenPGP certificates of release keys: creates, renews and revokes them.

A certificate has one RSA key and one user ID. A new expiry is a new self-signature. The old
self-signatures stay, because Sequoia judges a signature by the key's state when it was made.
"""

import hashlib
from typing import Final, NamedTuple

from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp import signatures
from awstoe.trust.openpgp.keys import PublicKey, Unsupported
from awstoe.trust.openpgp.packets import Malformed, Packet, dearmored, packets
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import Signer
from awstoe_signing.openpgp import sign as signing
from awstoe_signing.openpgp.sign import Key

REASONS: Final = {"unspecified": 0, "superseded": 1, "compromised": 2, "retired": 3}
"""The reasons for a revocation, with the numbers of RFC 9580, 5.2.3.31."""

_POSITIVE: Final = 0x13
_CERTIFY_AND_SIGN: Final = b"\x03"
# Preferences for programs that encrypt to the key. Signing programs read the digests.
_SYMMETRIC: Final = (11, bytes([9, 8, 7]))
_DIGESTS: Final = (21, bytes([10, 9, 8]))
_COMPRESSION: Final = (22, bytes([0]))
_KEYSERVER_NO_MODIFY: Final = (23, b"\x80")
_PRIMARY_USER_ID: Final = (25, b"\x01")
_FEATURES: Final = (30, b"\x01")


class Certificate(NamedTuple):
    """A public key with its user ID and signatures."""

    public: PublicKey
    user_id: str
    packets: tuple[Packet, ...]

    def to_bytes(self) -> bytes:
        """Return the certificate in binary form."""
        return b"".join(signing.packet(each.tag, each.body) for each in self.packets)

    def key(self, signer: Signer) -> Key:
        """Return the private key, if a signer has it.

        Raises:
            SigningFailure: The signer has another key.
        """
        found = signing.public_key(signer, self.public.created)
        if found.fingerprint != self.public.fingerprint:
            raise SigningFailure(
                f"{signer.name} is not the private key of {self.public.fingerprint}"
                f" ({self.user_id})"
            )
        return Key(signer, self.public)


def create(signer: Signer, user_id: str, *, created: int, expires: int) -> Certificate:
    """Return a new certificate.

    Args:
        signer: An RSA key.
        user_id: The key's holder: ``Name <address>``.
        created: Seconds since 1970.
        expires: Seconds since 1970.

    Raises:
        SigningFailure: The key cannot be used, or the expiry is not after the creation.
    """
    public = signing.public_key(signer, created)
    bare = (Packet(tags.PUBLIC_KEY, public.body), Packet(tags.USER_ID, user_id.encode()))
    return renew(Certificate(public, user_id, bare), signer, now=created, expires=expires)


def read(data: bytes, name: str) -> Certificate:
    """Return the certificate that ``to_bytes`` or ``armored`` wrote to a file.

    Raises:
        SigningFailure: The file is something else.
    """
    try:
        found = tuple(packets(dearmored(data, signing.PUBLIC_KEY_BLOCK, name), name))
        keys = [PublicKey(each.body) for each in found if each.tag == tags.PUBLIC_KEY]
    except Malformed as error:
        raise SigningFailure(str(error)) from error
    user_ids = [each.body.decode(errors="replace") for each in found if each.tag == tags.USER_ID]
    kinds = {each.tag for each in found}
    known = {tags.PUBLIC_KEY, tags.USER_ID, tags.SIGNATURE}
    if len(keys) != 1 or len(user_ids) != 1 or not kinds <= known:
        raise SigningFailure(f"{name}: expected one key with one user ID and no subkeys")
    return Certificate(keys[0], user_ids[0], found)


def renew(certificate: Certificate, signer: Signer, *, now: int, expires: int) -> Certificate:
    """Return the certificate with another expiry, later or earlier than before.

    Raises:
        SigningFailure: The signer has another key, or the expiry is not in the future.
    """
    public = certificate.public
    if expires <= max(public.created, now):
        raise SigningFailure(f"the expiry of {public.key_id} has to be in the future")
    user_id = certificate.user_id.encode()
    digest = hashlib.sha512(public.hashed + b"\xb4" + len(user_id).to_bytes(4, "big") + user_id)
    self_signature = signing.sign(
        certificate.key(signer),
        _POSITIVE,
        digest,
        now,
        (
            (signatures.KEY_FLAGS, _CERTIFY_AND_SIGN),
            (signatures.KEY_EXPIRES, (expires - public.created).to_bytes(4, "big")),
            _SYMMETRIC,
            _DIGESTS,
            _COMPRESSION,
            _KEYSERVER_NO_MODIFY,
            _PRIMARY_USER_ID,
            _FEATURES,
        ),
    )
    added = packets(self_signature, "a self-signature")
    return certificate._replace(packets=(*certificate.packets, *added))


def revocation(
    certificate: Certificate, signer: Signer, *, now: int, reason: str, text: str = ""
) -> bytes:
    """Return the signature packet that revokes a key.

    Args:
        certificate: The key's certificate.
        signer: The private key.
        now: Seconds since 1970.
        reason: One of ``REASONS``.
        text: A comment for people.

    Raises:
        SigningFailure: The signer has another key.
    """
    body = bytes([REASONS[reason]]) + text.encode()
    digest = hashlib.sha512(certificate.public.hashed)
    stated = [(signatures.REVOCATION_REASON, body)]
    return signing.sign(certificate.key(signer), signatures.KEY_REVOCATION, digest, now, stated)


def revoked(certificate: Certificate, packet: bytes) -> Certificate:
    """Return the certificate with a revocation added.

    Args:
        certificate: The key's certificate.
        packet: The result of ``revocation``, armored or binary.

    Raises:
        SigningFailure: The packet is not a revocation of this key.
    """
    what = "the revocation"
    try:
        added = tuple(packets(dearmored(packet, signing.PUBLIC_KEY_BLOCK, what), what))
        made = [signatures.read(each.body) for each in added if each.tag == tags.SIGNATURE]
    except (Malformed, Unsupported) as error:
        raise SigningFailure(str(error)) from error
    public = certificate.public
    if len(made) != len(added) or not all(
        each.kind == signatures.KEY_REVOCATION and each.holds(public, public.hashed)
        for each in made
    ):
        raise SigningFailure(f"this is not a revocation of {public.fingerprint}")
    first, *others = certificate.packets
    return certificate._replace(packets=(first, *added, *others))
