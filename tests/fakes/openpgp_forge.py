"""Writes OpenPGP packets of every type, valid and invalid, with real keys.

The product's own code writes only valid packets. Here, tests can choose every field.
"""

import hashlib
from collections.abc import Sequence
from typing import TypedDict, Unpack

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

HASHES: dict[int, tuple[str, type[hashes.HashAlgorithm]]] = {
    1: ("md5", hashes.MD5),
    2: ("sha1", hashes.SHA1),
    8: ("sha256", hashes.SHA256),
    9: ("sha384", hashes.SHA384),
    10: ("sha512", hashes.SHA512),
    11: ("sha224", hashes.SHA224),
}
CURVE = bytes.fromhex("2b06010401da470f01")
NOW = 1_800_000_000
USER = b"AWSTOE <releases@example.com>"
Subpackets = Sequence[tuple[int, bytes]]
CERTIFY_AND_SIGN = (27, b"\x03")


class Fields(TypedDict, total=False):
    """The fields of a signature packet that a test can choose."""

    kind: int
    created: int
    hash_number: int
    hashed: Subpackets
    """All hashed subpackets; by default the signer's fingerprint, the time, and ``extra``."""
    extra: Subpackets
    unhashed: Subpackets
    algorithm: int
    version: int


def mpi(value: int) -> bytes:
    return value.bit_length().to_bytes(2, "big") + value.to_bytes((value.bit_length() + 7) // 8)


def packet(tag: int, body: bytes) -> bytes:
    """Return a packet with a header of the new format and five length octets."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4) + body


def old_packet(tag: int, body: bytes) -> bytes:
    return bytes([0x80 | tag << 2 | 1]) + len(body).to_bytes(2) + body


def area(subpackets: Subpackets) -> bytes:
    out = b""
    for kind, body in subpackets:
        length = len(body) + 1
        if length < 192:
            out += bytes([length])
        elif length < 8384:
            out += bytes([((length - 192) >> 8) + 192, (length - 192) & 0xFF])
        else:
            out += b"\xff" + length.to_bytes(4)
        out += bytes([kind]) + body
    return len(out).to_bytes(2) + out


def time_of(kind: int, seconds: int) -> tuple[int, bytes]:
    return kind, seconds.to_bytes(4)


class ForgedKey:
    """A private key with its public packet."""

    def __init__(
        self, private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, created: int = NOW - 10_000
    ) -> None:
        self.private = private
        self.created = created
        if isinstance(private, rsa.RSAPrivateKey):
            numbers = private.public_key().public_numbers()
            self.algorithm, material = 1, mpi(numbers.n) + mpi(numbers.e)
        else:
            raw = private.public_key().public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw
            )
            self.algorithm = 22
            material = bytes([len(CURVE)]) + CURVE + mpi(int.from_bytes(b"\x40" + raw))
        self.body = b"\x04" + created.to_bytes(4) + bytes([self.algorithm]) + material
        self.hashed = b"\x99" + len(self.body).to_bytes(2) + self.body
        self.fingerprint = hashlib.sha1(self.hashed).digest()

    @property
    def issuer(self) -> tuple[int, bytes]:
        return 16, self.fingerprint[-8:]

    @property
    def issuer_fingerprint(self) -> tuple[int, bytes]:
        return 33, b"\x04" + self.fingerprint

    def value(self, digest: bytes, hash_number: int) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            prehashed = utils.Prehashed(HASHES[hash_number][1]())
            return mpi(int.from_bytes(self.private.sign(digest, padding.PKCS1v15(), prehashed)))
        raw = self.private.sign(digest)
        return mpi(int.from_bytes(raw[:32])) + mpi(int.from_bytes(raw[32:]))

    def signature(self, signed: bytes, **fields: Unpack[Fields]) -> bytes:
        """Return the body of a signature packet. Tests can choose all its fields."""
        created = time_of(2, fields.get("created", NOW - 100))
        usual = [self.issuer_fingerprint, created, *fields.get("extra", ())]
        hashed = fields.get("hashed", usual)
        number = fields.get("hash_number", 10)
        algorithm = fields.get("algorithm", self.algorithm)
        head = bytes([fields.get("version", 4), fields.get("kind", 0), algorithm, number])
        head += area(hashed)
        ending = b"\x04\xff" + len(head).to_bytes(4)
        digest = hashlib.new(HASHES[number][0], signed + head + ending).digest()
        unhashed = area(fields.get("unhashed", [self.issuer]))
        return head + unhashed + digest[:2] + self.value(digest, number)

    def old_signature(self, signed: bytes, kind: int, created: int, key_id: bytes) -> bytes:
        """Return the body of a signature packet of version 3, which protects little."""
        protected = bytes([kind]) + created.to_bytes(4)
        digest = hashlib.sha256(signed + protected).digest()
        head = b"\x03\x05" + protected + key_id + bytes([self.algorithm, 8])
        return head + digest[:2] + self.value(digest, 8)

    def certificate(
        self,
        *,
        user: bytes = USER,
        direct: Sequence[bytes] = (),
        more: bytes = b"",
        self_signature: bytes | None = None,
        **fields: Unpack[Fields],
    ) -> bytes:
        """Return the packets of a public key with a user ID.

        Args:
            user: The user ID.
            direct: Bodies of signatures that follow the key.
            more: Packets that follow at the end.
            self_signature: The body of the certification; created by default.
            fields: See ``signature``.
        """
        if self_signature is None:
            self_signature = self.certification(user, **fields)
        return (
            packet(6, self.body)
            + b"".join(packet(2, body) for body in direct)
            + packet(13, user)
            + packet(2, self_signature)
            + more
        )

    def certification(self, user: bytes = USER, **fields: Unpack[Fields]) -> bytes:
        usual: Fields = {"kind": 0x13, "created": self.created, "extra": [CERTIFY_AND_SIGN]}
        signed = self.hashed + b"\xb4" + len(user).to_bytes(4) + user
        usual.update(fields)
        return self.signature(signed, **usual)

    def subkey(
        self,
        other: "ForgedKey",
        *,
        flags: bytes | None = b"\x02",
        back: bytes | None = b"",
        more: Sequence[bytes] = (),
        **fields: Unpack[Fields],
    ) -> bytes:
        """Return the packets that make another key a subkey of this one.

        Args:
            other: The subkey.
            flags: Its key flags; None to leave them out.
            back: Its signature over this key (0x19); created if empty, left out if None.
            more: Bodies of more signatures of the subkey.
            fields: See ``signature``.
        """
        signed = self.hashed + other.hashed
        extra = [*fields.get("extra", ())]
        if flags is not None:
            extra.append((27, flags))
        if back is not None:
            extra.append((32, back or other.signature(signed, kind=0x19, created=other.created)))
        usual: Fields = {"kind": 0x18, "created": other.created}
        usual.update(fields)
        usual["extra"] = extra
        bodies = [self.signature(signed, **usual), *more]
        return packet(14, other.body) + b"".join(packet(2, body) for body in bodies)
