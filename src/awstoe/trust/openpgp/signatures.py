"""Reads OpenPGP signature packets (RFC 9580, 5.2), and checks digests with them.

Files may only have signatures of version 4. Those of version 3 in key files are read too, because
one of them may revoke the key.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from awstoe.trust.openpgp.keys import EDDSA, RSA, Opened, PublicKey, Unsupported, digester
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
_EXPORTABLE: Final = 4
_TRUST: Final = 5
_REVOCABLE: Final = 7
_KEY_BLOCK: Final = 38
SIGNATURE_EXPIRES: Final = 3
KEY_EXPIRES: Final = 9
REVOCATION_KEY: Final = 12
ISSUER: Final = 16
NOTATION: Final = 20
PRIMARY_USER_ID: Final = 25
KEY_FLAGS: Final = 27
REVOCATION_REASON: Final = 29
EMBEDDED_SIGNATURE: Final = 32
ISSUER_FINGERPRINT: Final = 33

REVOCATIONS: Final = frozenset({KEY_REVOCATION, SUBKEY_REVOCATION, CERTIFICATION_REVOCATION})

TIMES: Final = 1 << 32
"""The first time that OpenPGP cannot represent."""
_MAY_SIGN: Final = 0x02
_OLD_VERSIONS: Final = frozenset({2, 3})
_LEAST_OCTETS: Final = 16
"""gpg reads shorter ones as signatures of nothing."""
_NUMBERS: Final = dict.fromkeys(RSA, 1) | {17: 2, 19: 2, EDDSA: 2}
"""Number of integers in the signatures of an algorithm."""
_AREA_OCTETS: Final = 10_000
"""Longest area of subpackets: the limit of gpg."""
_TIME_OCTETS: Final = 4
"""RFC 9580, 3.5."""
_KEY_ID_OCTETS: Final = 8
"""RFC 9580, 5.2.3.12."""
_KEY_ID_DIGITS: Final = 2 * _KEY_ID_OCTETS
_ISSUER_OCTETS: Final = 21
"""A version and a version 4 fingerprint: RFC 9580, 5.2.3.35."""
_KEY_BLOCK_OCTETS: Final = 50
_REVOKER_OCTETS: Final = 22
_LENGTHS: Final = {
    **dict.fromkeys((CREATED, SIGNATURE_EXPIRES, KEY_EXPIRES), (_TIME_OCTETS, _TIME_OCTETS)),
    **dict.fromkeys((_EXPORTABLE, _REVOCABLE, PRIMARY_USER_ID), (1, 1)),
    **dict.fromkeys((REVOCATION_REASON, EMBEDDED_SIGNATURE), (1, _AREA_OCTETS)),
    _TRUST: (2, 2),
    REVOCATION_KEY: (_REVOKER_OCTETS, _AREA_OCTETS),
    ISSUER: (_KEY_ID_OCTETS, _KEY_ID_OCTETS),
    ISSUER_FINGERPRINT: (_ISSUER_OCTETS, _AREA_OCTETS),
    _KEY_BLOCK: (_KEY_BLOCK_OCTETS, _AREA_OCTETS),
}
"""Shortest and longest body of a subpacket, by its type. With others, gpg reports an error."""
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
    version: int = VERSION
    stated_key_ids: frozenset[str] = frozenset()
    """The key ID in a signature of version 3, where it is not protected."""
    stated_time: int | None = None
    """The creation time in a signature of version 3."""

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
        value = self.seconds(CREATED) if self.stated_time is None else self.stated_time
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
        if self.created + span >= TIMES:
            raise Malformed("a signature expires after 2106, which OpenPGP cannot represent")
        return self.created + span

    @property
    def lets_sign(self) -> bool | None:
        """Whether its key flags allow a key to sign data; None if it has no key flags."""
        flags = self.one(KEY_FLAGS)
        return None if flags is None else bool(flags and flags[0] & _MAY_SIGN)

    @property
    def is_local(self) -> bool:
        """Whether it says, protected or not, that it must not leave its maker's machine."""
        return any(
            each.kind == _EXPORTABLE and each.body == b"\0"
            for each in (*self.hashed, *self.unhashed)
        )

    def issuers(self) -> tuple[set[str], set[str]]:
        """Return the fingerprints and key IDs of the keys it claims as makers; both may be empty.

        Raises:
            Malformed: One has a wrong format.
        """
        stated, added = _issuers(self.hashed), _issuers(self.unhashed)
        return stated[0] | added[0], stated[1] | added[1] | self.stated_key_ids

    def names_for_gpg(self) -> bool:
        """Whether it names its key where gpg reads it: an unprotected fingerprint is not enough.

        Raises:
            Malformed: One of its names has a wrong format.
        """
        return bool(_issuers(self.hashed)[0] or self.issuers()[1])

    def may_be_by(self, key: PublicKey) -> bool:
        """Whether it may be by ``key``, as far as is protected, or as gpg reads its names.

        The unprotected names can be changed by anyone, so they never rule out a key. gpg goes by a
        key ID, also if a protected fingerprint is that of another key.

        Raises:
            Malformed: A name has a wrong format.
        """
        fingerprints, key_ids = _issuers(self.hashed)
        by_protected = fingerprints <= {key.fingerprint} and key_ids <= {key.key_id}
        return self.key_algorithm == key.algorithm and (by_protected or self.names(key))

    def names(self, key: PublicKey) -> bool:
        """Whether one of its names, protected or not, is that of ``key``.

        Raises:
            Malformed: A name has a wrong format.
        """
        fingerprints, key_ids = self.issuers()
        return key.fingerprint in fingerprints or key.key_id in key_ids

    def may_be_by_any(self, fingerprints: Collection[str]) -> bool:
        """Whether it may be by one of these keys; see ``may_be_by``.

        Raises:
            Malformed: A name has a wrong format.
        """
        protected, (stated, key_ids) = _issuers(self.hashed), self.issuers()
        named = stated | key_ids
        return not any(protected) or any(
            each in named or each[-_KEY_ID_DIGITS:] in named for each in fingerprints
        )

    def check_lengths(self) -> None:
        """Reject subpackets whose length does not fit their type, as gpg does.

        That goes for the signatures in subpackets, too; gpg does not look into those in them.

        Raises:
            Malformed: There is one.
        """
        self._check_own_lengths()
        for each in (*self.hashed, *self.unhashed):
            if each.kind == EMBEDDED_SIGNATURE:
                try:
                    read(each.body)._check_own_lengths()  # noqa: SLF001 - the same class
                except Unsupported as error:
                    raise Malformed(str(error)) from error

    def _check_own_lengths(self) -> None:
        for each in (*self.hashed, *self.unhashed):
            least, most = _LENGTHS.get(each.kind, (0, _AREA_OCTETS))
            if not least <= len(each.body) <= most:
                raise Malformed(
                    f"a signature has a subpacket of type {each.kind} with {len(each.body)} bytes"
                )
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

    def digest_of(self, signed: bytes) -> bytes:
        """Return the digest of ``signed`` and the trailer.

        Raises:
            Unsupported: The hash is not supported.
        """
        digest = digester(self.hash_algorithm)
        digest.update(signed)
        digest.update(self.trailer)
        return digest.digest()

    def holds(self, key: PublicKey, signed: bytes) -> bool:
        """Whether ``key`` has made this signature of ``signed``.

        Raises:
            Unsupported: It cannot be checked.
        """
        return self.verifies(key, self.digest_of(signed))

    def opened_by(self, key: PublicKey) -> Opened:
        """Return what ``key`` has signed with it. No unprotected part of it decides.

        Raises:
            Unsupported: It cannot be checked.
            Malformed: It violates the format.
        """
        return key.opened(self.hash_algorithm, self.value)

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


def read_in_key(body: bytes) -> Signature:
    """Read a signature in a key file, which may have an old version.

    Raises:
        Malformed: gpg would stop reading the file here.
    """
    if len(body) < _LEAST_OCTETS:
        raise Malformed(f"a signature has {len(body)} bytes; expected {_LEAST_OCTETS} or more")
    try:
        signature = _read_old(body) if body[0] in _OLD_VERSIONS else read(body)
    except Unsupported as error:
        raise Malformed(str(error)) from error
    octets = Octets(signature.value, "a signature")
    for _ in range(_NUMBERS.get(signature.key_algorithm, 0)):
        octets.take((octets.number(2) + 7) // 8)
    return signature


def _read_old(body: bytes) -> Signature:
    """Read a signature of version 2 or 3 (RFC 9580, 5.2.2)."""
    octets = Octets(body, "a signature")
    version = octets.number(1)
    octets.take(1)
    kind, time = octets.take(1), octets.take(_TIME_OCTETS)
    key_id = octets.take(_KEY_ID_OCTETS)
    key_algorithm, hash_algorithm = octets.take(2)
    return Signature(
        kind=kind[0],
        key_algorithm=key_algorithm,
        hash_algorithm=hash_algorithm,
        hashed=(),
        unhashed=(),
        trailer=kind + time,
        digest_start=octets.take(2),
        value=octets.rest(),
        version=version,
        stated_key_ids=frozenset({key_id.hex().upper()}),
        stated_time=int.from_bytes(time, "big"),
    )


def _issuers(subpackets: Iterable[Subpacket]) -> tuple[set[str], set[str]]:
    """Return the fingerprints and key IDs in subpackets."""
    fingerprints: set[str] = set()
    key_ids: set[str] = set()
    for each in subpackets:
        if each.kind == ISSUER:
            if len(each.body) != _KEY_ID_OCTETS:
                raise Malformed("a signature has a key ID with a wrong length")
            key_ids.add(each.body.hex().upper())
        elif each.kind == ISSUER_FINGERPRINT:
            if len(each.body) != _ISSUER_OCTETS or each.body[0] != VERSION:
                raise Malformed("a signature has a fingerprint that is not of version 4")
            fingerprints.add(each.body[1:].hex().upper())
    return fingerprints, key_ids


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
