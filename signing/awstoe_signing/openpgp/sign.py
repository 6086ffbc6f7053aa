"""Makes OpenPGP signatures with a ``Signer``: version 4, RSA, SHA-512 (RFC 9580, 5.2).

Every signature is read back and verified, by the code that users verify with, before it is
returned.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import BinaryIO, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa

from awstoe import limits
from awstoe.trust.openpgp import packets as tags
from awstoe.trust.openpgp import signatures
from awstoe.trust.openpgp.keys import PublicKey
from awstoe.trust.openpgp.packets import crc24
from awstoe.trust.policy import LEAST_RSA_BITS
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import Signer

SIGNATURE: Final = "SIGNATURE"
PUBLIC_KEY_BLOCK: Final = "PUBLIC KEY BLOCK"
_RSA: Final = 1
_SHA512: Final = 10
_VERSION: Final = 4
_ARMOR_CHARACTERS: Final = 64


class Key(NamedTuple):
    """A private key with its public packet."""

    signer: Signer
    public: PublicKey


def public_key(signer: Signer, created: int) -> PublicKey:
    """Return the public packet of a key.

    Args:
        signer: An RSA key.
        created: Seconds since 1970; part of the key's fingerprint.

    Raises:
        SigningFailure: It is not an RSA key, or too short.
    """
    key = signer.public_key
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < LEAST_RSA_BITS:
        raise SigningFailure(
            f"{signer.name}: OpenPGP signatures need an RSA key of {LEAST_RSA_BITS} bits or more"
        )
    numbers = key.public_numbers()
    head = bytes([_VERSION]) + created.to_bytes(4, "big") + bytes([_RSA])
    return PublicKey(head + mpi(numbers.n) + mpi(numbers.e))


def detached(key: Key, stream: BinaryIO, created: int) -> bytes:
    """Return the binary signature of a file.

    Args:
        key: The key to sign with.
        stream: The file, read from its current position to its end.
        created: Seconds since 1970.

    Raises:
        SigningFailure: The key did not sign, or its signature is wrong.
        OSError: The file cannot be read.
    """
    digest = hashlib.sha512()
    while chunk := stream.read(limits.READ_CHUNK_BYTES):
        digest.update(chunk)
    return sign(key, signatures.BINARY, digest, created)


def sign(
    key: Key,
    kind: int,
    digest: "hashlib._Hash",
    created: int,
    subpackets: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """Return a signature packet.

    Args:
        key: The key to sign with.
        kind: The type of the signature.
        digest: The SHA-512 of the data to sign, not finished.
        created: Seconds since 1970.
        subpackets: More signed subpackets, by types and bodies.

    Raises:
        SigningFailure: The key did not sign, or its signature is wrong.
    """
    fingerprint = bytes.fromhex(key.public.fingerprint)
    hashed = b"".join(
        _subpacket(number, body)
        for number, body in (
            (signatures.ISSUER_FINGERPRINT, bytes([_VERSION]) + fingerprint),
            (signatures.CREATED, created.to_bytes(4, "big")),
            *subpackets,
        )
    )
    # gpg before 2.1 reads only the key ID.
    unhashed = _subpacket(signatures.ISSUER, bytes.fromhex(key.public.key_id))
    head = bytes([_VERSION, kind, _RSA, _SHA512]) + _counted(hashed)
    trailer = head + bytes([_VERSION, 0xFF]) + len(head).to_bytes(4, "big")
    digest = digest.copy()
    digest.update(trailer)
    final = digest.digest()
    value = mpi(int.from_bytes(key.signer.sign_digest(final, "sha512"), "big"))
    body = head + _counted(unhashed) + final[:2] + value
    if not signatures.read(body).verifies(key.public, final):
        raise SigningFailure(
            f"{key.signer.name} made a signature that does not verify with its public key"
            f" {key.public.key_id}: nothing was signed",
            hint="check that this is the private key of that public key",
        )
    return packet(tags.SIGNATURE, body)


def packet(tag: int, body: bytes) -> bytes:
    """Return a packet with a header that every version of gpg can read."""
    return bytes([0x80 | tag << 2 | 1]) + _counted(body)


def mpi(value: int) -> bytes:
    """Return a multiprecision integer."""
    return value.bit_length().to_bytes(2, "big") + value.to_bytes(
        (value.bit_length() + 7) // 8, "big"
    )


def armored(data: bytes, label: str) -> bytes:
    """Return packets as text."""
    text = base64.b64encode(data).decode()
    lines = [text[at : at + _ARMOR_CHARACTERS] for at in range(0, len(text), _ARMOR_CHARACTERS)]
    checksum = "=" + base64.b64encode(crc24(data).to_bytes(3, "big")).decode()
    head, foot = f"-----BEGIN PGP {label}-----", f"-----END PGP {label}-----"
    return "\n".join([head, "", *lines, checksum, foot, ""]).encode()


def _counted(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _subpacket(kind: int, body: bytes) -> bytes:
    length = len(body) + 1
    if length < 192:  # noqa: PLR2004 - RFC 9580, 5.2.3.7
        return bytes([length, kind]) + body
    return b"\xff" + length.to_bytes(4, "big") + bytes([kind]) + body
