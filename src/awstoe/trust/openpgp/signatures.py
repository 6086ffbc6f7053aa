"""Reads OpenPGP signature packets of version 4 (RFC 9580, 5.2), and checks digests with them."""

from typing import Final, NamedTuple

from awstoe.trust.openpgp.keys import PublicKey, Unsupported, digester
from awstoe.trust.openpgp.packets import Malformed, Octets, long_length

VERSION: Final = 4
BINARY: Final = 0x00
CERTIFICATIONS: Final = frozenset({0x10, 0x11, 0x12, 0x13})
SUBKEY_BINDING: Final = 0x18
PRIMARY_KEY_BINDING: Final = 0x19
DIRECT_KEY: Final = 0x1F
KEY_REVOCATION: Final = 0x20
SUBKEY_REVOCATION: Final = 0x28
CERTIFICATION_REVOCATION: Final = 0x30

CREATED: Final = 2
SIGNATURE_EXPIRES: Final = 3
KEY_EXPIRES: Final = 9
REVOCATION_KEY: Final = 12
ISSUER: Final = 16
NOTATION: Final = 20
KEY_FLAGS: Final = 27
REVOCATION_REASON: Final = 29
EMBEDDED_SIGNATURE: Final = 32
ISSUER_FINGERPRINT: Final = 33

REVOCATIONS: Final = frozenset({KEY_REVOCATION, SUBKEY_REVOCATION, CERTIFICATION_REVOCATION})

_TIMES: Final = 1 << 32
_MAY_SIGN: Final = 0x02
_OLD_VERSION: Final = 3
_AREA_OCTETS: Final = 10_000
"""Longest area of subpackets: the limit of gpg."""
_TIME_OCTETS: Final = 4
"""RFC 9580, 3.5."""
_KEY_ID_OCTETS: Final = 8
"""RFC 9580, 5.2.3.12."""
_ISSUER_OCTETS: Final = 21
"""A version and a version 4 fingerprint: RFC 9580, 5.2.3.35."""
_NOT_ONCE: Final = "a signature has {} subpackets of type {}; expected one"


class Subpacket(NamedTuple):
    """One statement of a signature about itself."""

    kind: int
    critical: bool
    """A program that does not support it must not accept the signature."""
    body: bytes


class Signature(NamedTuple):
    """A signature packet."""

    kind: int
    """The signature type: what was signed."""
    key_algorithm: int
    hash_algorithm: int
    hashed: tuple[Subpacket, ...]
    unhashed: tuple[Subpacket, ...]
    """Not covered by the signature, so never trusted."""
    trailer: bytes
    """The bytes at the end of the digest's input."""
    digest_start: bytes
    value: bytes
    """The integers that the key has computed."""

    def one(self, kind: int) -> bytes | None:
        """Return the body of the hashed subpacket of a type.

        Raises:
            Malformed: There are several.
        """
        found = [each.body for each in self.hashed if each.kind == kind]
        if len(found) > 1:
            raise Malformed(_NOT_ONCE.format(len(found), kind))
        return found[0] if found else None

    def seconds(self, kind: int) -> int | None:
        """Return the value of the hashed subpacket of a type that contains a time or a duration.

        Raises:
            Malformed: It has another length, or there are several.
        """
        body = self.one(kind)
        if body is None:
            return None
        if len(body) != _TIME_OCTETS:
            raise Malformed(f"a signature has a time of {len(body)} bytes")
        return int.from_bytes(body, "big")

    @property
    def created(self) -> int:
        """Creation time that it states, in seconds since 1970.

        Raises:
            Malformed: No hashed subpacket states it.
        """
        value = self.seconds(CREATED)
        if value is None:
            raise Malformed("a signature does not state when it was made")
        return value

    @property
    def expires(self) -> int | None:
        """Expiration time, in seconds since 1970.

        Raises:
            Malformed: OpenPGP cannot represent that time; gpg treats it as one in the past.
        """
        span = self.seconds(SIGNATURE_EXPIRES)
        if not span:
            return None
        if self.created + span >= _TIMES:
            raise Malformed("a signature expires after 2106, which OpenPGP cannot represent")
        return self.created + span

    @property
    def lets_sign(self) -> bool | None:
        """Whether its key flags allow a key to sign data; None if it has no key flags."""
        flags = self.one(KEY_FLAGS)
        return None if flags is None else bool(flags and flags[0] & _MAY_SIGN)

    def issuers(self) -> tuple[set[str], set[str]]:
        """Return the fingerprints and key IDs of the keys it claims as makers; both may be empty.

        Raises:
            Malformed: One has a wrong format.
        """
        fingerprints: set[str] = set()
        key_ids: set[str] = set()
        for each in (*self.hashed, *self.unhashed):
            if each.kind == ISSUER:
                if len(each.body) != _KEY_ID_OCTETS:
                    raise Malformed("a signature has a key ID with a wrong length")
                key_ids.add(each.body.hex().upper())
            elif each.kind == ISSUER_FINGERPRINT:
                if len(each.body) != _ISSUER_OCTETS or each.body[0] != VERSION:
                    raise Malformed("a signature has a fingerprint that is not of version 4")
                fingerprints.add(each.body[1:].hex().upper())
        return fingerprints, key_ids

    def check_notations(self) -> None:
        """Reject notations whose lengths do not match, as gpg does.

        Raises:
            Malformed: There is one.
        """
        for each in self.hashed:
            if each.kind == NOTATION:
                octets = Octets(each.body, "a notation")
                octets.take(4)
                name, value = octets.number(2), octets.number(2)
                octets.take(name + value)
                octets.end()

    def is_by(self, key: PublicKey) -> bool:
        """Whether it claims to be made by ``key``, or names no key."""
        fingerprints, key_ids = self.issuers()
        return fingerprints <= {key.fingerprint} and key_ids <= {key.key_id}

    def holds(self, key: PublicKey, signed: bytes) -> bool:
        """Whether ``key`` has made this signature of ``signed``.

        Raises:
            Unsupported: It cannot be checked.
        """
        digest = digester(self.hash_algorithm)
        digest.update(signed)
        digest.update(self.trailer)
        return self.verifies(key, digest.digest())

    def verifies(self, key: PublicKey, digest: bytes) -> bool:
        """The same, for a digest that already includes the trailer.

        Raises:
            Unsupported: It cannot be checked.
        """
        if self.key_algorithm != key.algorithm or digest[:2] != self.digest_start:
            return False
        return key.check(digest, self.hash_algorithm, self.value)


def read(body: bytes) -> Signature:
    """Read the signature in the body of a packet.

    Raises:
        Malformed: It is not a signature.
        Unsupported: It has another version.
    """
    octets = Octets(body, "a signature")
    version = octets.number(1)
    if version != VERSION:
        raise Unsupported(f"the signature has version {version}; expected {VERSION}")
    kind, key_algorithm, hash_algorithm = octets.take(3)
    hashed = octets.take(octets.number(2))
    unhashed = octets.take(octets.number(2))
    length = 6 + len(hashed)
    return Signature(
        kind=kind,
        key_algorithm=key_algorithm,
        hash_algorithm=hash_algorithm,
        hashed=_subpackets(hashed),
        unhashed=_subpackets(unhashed),
        trailer=body[:length] + bytes([VERSION, 0xFF]) + length.to_bytes(4, "big"),
        digest_start=octets.take(2),
        value=octets.rest(),
    )


def issuer_of_old(body: bytes) -> str:
    """Return the key ID in a signature of version 3 (RFC 9580, 5.2.2); empty for other versions."""
    octets = Octets(body, "a signature")
    if octets.number(1) != _OLD_VERSION:
        return ""
    octets.take(6)
    return octets.take(_KEY_ID_OCTETS).hex().upper()


def _subpackets(area: bytes) -> tuple[Subpacket, ...]:
    if len(area) > _AREA_OCTETS:
        raise Malformed(
            f"a signature has {len(area)} bytes of subpackets; the limit is {_AREA_OCTETS}"
        )
    octets = Octets(area, "a subpacket")
    found: list[Subpacket] = []
    while octets.left:
        length = long_length(octets, octets.number(1))
        if not length:
            raise Malformed("a signature has a subpacket without a type")
        kind = octets.number(1)
        found.append(Subpacket(kind & 0x7F, bool(kind & 0x80), octets.take(length - 1)))
    return tuple(found)
