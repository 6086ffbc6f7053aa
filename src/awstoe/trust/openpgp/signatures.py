"""Signature packets of OpenPGP, version 4 (RFC 9580, 5.2): reading one, and its digest."""

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
_NOT_ONCE: Final = "a signature has {} subpackets of type {} where one may be"


class Subpacket(NamedTuple):
    """One statement of a signature about itself."""

    kind: int
    critical: bool
    """Who does not know it must not accept the signature."""
    body: bytes


class Signature(NamedTuple):
    """A signature packet."""

    kind: int
    """Its type: what was signed."""
    key_algorithm: int
    hash_algorithm: int
    hashed: tuple[Subpacket, ...]
    unhashed: tuple[Subpacket, ...]
    """Not protected by the signature: nothing in here is believed."""
    trailer: bytes
    """What the digest ends with."""
    digest_start: bytes
    value: bytes
    """The numbers that the key has made."""

    def one(self, kind: int) -> bytes | None:
        """The body of the hashed subpacket of a type.

        Raises:
            Malformed: There are several.
        """
        found = [each.body for each in self.hashed if each.kind == kind]
        if len(found) > 1:
            raise Malformed(_NOT_ONCE.format(len(found), kind))
        return found[0] if found else None

    def seconds(self, kind: int) -> int | None:
        """The value of the hashed subpacket of a type that holds a time or a span.

        Raises:
            Malformed: It has another length, or there are several.
        """
        body = self.one(kind)
        if body is None:
            return None
        if len(body) != 4:  # noqa: PLR2004 - RFC 9580, 3.5
            raise Malformed(f"a signature has a time of {len(body)} bytes")
        return int.from_bytes(body, "big")

    @property
    def created(self) -> int:
        """When it says it was made, seconds since 1970.

        Raises:
            Malformed: It does not say so under the protection of the signature.
        """
        value = self.seconds(CREATED)
        if value is None:
            raise Malformed("a signature does not say when it was made")
        return value

    @property
    def expires(self) -> int | None:
        """When it stops to count, seconds since 1970.

        Raises:
            Malformed: OpenPGP has no number for that time; gpg takes it for one in the past.
        """
        span = self.seconds(SIGNATURE_EXPIRES)
        if not span:
            return None
        if self.created + span >= _TIMES:
            raise Malformed("a signature expires after 2106, when OpenPGP has no times any more")
        return self.created + span

    @property
    def lets_sign(self) -> bool | None:
        """Whether its key flags let a key sign data; None when it has none."""
        flags = self.one(KEY_FLAGS)
        return None if flags is None else bool(flags and flags[0] & _MAY_SIGN)

    def issuers(self) -> tuple[set[str], set[str]]:
        """The fingerprints and the key ids of who says to have made it; both may be empty.

        Raises:
            Malformed: One has a wrong form.
        """
        fingerprints: set[str] = set()
        key_ids: set[str] = set()
        for each in (*self.hashed, *self.unhashed):
            if each.kind == ISSUER:
                if len(each.body) != 8:  # noqa: PLR2004 - RFC 9580, 5.2.3.12
                    raise Malformed("a signature has a key id of a wrong length")
                key_ids.add(each.body.hex().upper())
            elif each.kind == ISSUER_FINGERPRINT:
                if len(each.body) != 21 or each.body[0] != VERSION:  # noqa: PLR2004
                    raise Malformed("a signature has a fingerprint that is not of version 4")
                fingerprints.add(each.body[1:].hex().upper())
        return fingerprints, key_ids

    def check_notations(self) -> None:
        """Refuse notations whose lengths do not fit, as gpg does.

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
        """Whether it says to be made by ``key``, or does not say by whom."""
        fingerprints, key_ids = self.issuers()
        return fingerprints <= {key.fingerprint} and key_ids <= {key.key_id}

    def holds(self, key: PublicKey, signed: bytes) -> bool:
        """Whether ``key`` has made this signature of ``signed``.

        Raises:
            Unsupported: It cannot be said.
        """
        digest = digester(self.hash_algorithm)
        digest.update(signed)
        digest.update(self.trailer)
        return self.verifies(key, digest.digest())

    def verifies(self, key: PublicKey, digest: bytes) -> bool:
        """The same, for a digest that has the trailer in it.

        Raises:
            Unsupported: It cannot be said.
        """
        if self.key_algorithm != key.algorithm or digest[:2] != self.digest_start:
            return False
        return key.check(digest, self.hash_algorithm, self.value)


def read(body: bytes) -> Signature:
    """The signature in the body of a packet.

    Raises:
        Malformed: It is none.
        Unsupported: It is one of another version.
    """
    octets = Octets(body, "a signature")
    version = octets.number(1)
    if version != VERSION:
        raise Unsupported(f"the signature has version {version}; {VERSION} counts")
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
    """The key id in a signature of version 3 (RFC 9580, 5.2.2); empty for other versions."""
    octets = Octets(body, "a signature")
    if octets.number(1) != _OLD_VERSION:
        return ""
    octets.take(6)
    return octets.take(8).hex().upper()


def _subpackets(area: bytes) -> tuple[Subpacket, ...]:
    if len(area) > _AREA_OCTETS:
        raise Malformed(f"a signature has {len(area)} bytes of subpackets; {_AREA_OCTETS} may be")
    octets = Octets(area, "a subpacket")
    found: list[Subpacket] = []
    while octets.left:
        length = long_length(octets, octets.number(1))
        if not length:
            raise Malformed("a signature has a subpacket without a type")
        kind = octets.number(1)
        found.append(Subpacket(kind & 0x7F, bool(kind & 0x80), octets.take(length - 1)))
    return tuple(found)
