"""Reads the outer layers of OpenPGP data: ASCII armor, packets, numbers (RFC 9580, 4 to 6).

Strict on purpose: gpg, Sequoia and awstoe need only one way to write each thing, and an attacker
can choose every byte that a reader skips. All functions raise ``Malformed``.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

SIGNATURE: Final = 2
SECRET_KEY: Final = 5
PUBLIC_KEY: Final = 6
SECRET_SUBKEY: Final = 7
TRUST: Final = 12
USER_ID: Final = 13
PUBLIC_SUBKEY: Final = 14
USER_ATTRIBUTE: Final = 17

_ARMOR_START: Final = b"-----BEGIN PGP "
_ARMOR_HEADER: Final = re.compile(rb"(Version|Comment|Hash|Charset|MessageID): [ -~\x80-\xff]*")
_ARMOR_LINE: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_ARMOR_LINE_CHARACTERS: Final = 76
_NUMBER_BITS: Final = 16384
"""Longest number accepted: more bits than any accepted key has, and the limit of gpg."""

# Length octets: RFC 9580, 4.2.1 (packets) and 5.2.3.7 (subpackets).
_INDETERMINATE: Final = 3
_TWO_OCTETS: Final = 192
_PARTIAL: Final = 224
_FIVE_OCTETS: Final = 255


class Malformed(Exception):
    """The data violates the format; the text says what was found where."""


class Packet(NamedTuple):
    """One packet."""

    tag: int
    body: bytes


class Octets:
    """Reads bytes from start to end, and never past the end."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._position = 0

    @property
    def left(self) -> int:
        """The number of bytes left."""
        return len(self._data) - self._position

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            Malformed: There are fewer.
        """
        if count > self.left:
            raise Malformed(
                f"{self._what} is truncated: expected {count} bytes at byte {self._position},"
                f" got {self.left}"
            )
        self._position += count
        return self._data[self._position - count : self._position]

    def number(self, octets: int) -> int:
        """Return the next ``octets`` bytes as an unsigned number."""
        return int.from_bytes(self.take(octets), "big")

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self.take(self.left)

    def mpi(self) -> int:
        """Return the next multiprecision integer; its bit count must be exact."""
        bits = self.number(2)
        if bits > _NUMBER_BITS:
            raise Malformed(
                f"{self._what} has a number of {bits} bits; the limit is {_NUMBER_BITS}"
            )
        value = self.number((bits + 7) // 8)
        if value.bit_length() != bits:
            raise Malformed(
                f"{self._what} has a number of {value.bit_length()} bits that claims {bits}"
            )
        return value

    def end(self) -> None:
        """Check that all bytes were read.

        Raises:
            Malformed: Bytes are left.
        """
        if self.left:
            raise Malformed(f"{self._what} has {self.left} bytes after its end")


def packets(data: bytes, what: str) -> Iterator[Packet]:
    """Return the packets in binary data.

    Args:
        data: Only packets.
        what: The name of the data in messages.

    Raises:
        Malformed: There is other data, or a packet has no definite length.
    """
    octets = Octets(data, what)
    while octets.left:
        header = octets.number(1)
        if not header & 0x80:
            raise Malformed(f"{what} has a byte 0x{header:02x} where a packet must start")
        if header & 0x40:
            tag, length = header & 0x3F, _new_length(octets, what)
        else:
            tag, length = (header >> 2) & 0x0F, _old_length(octets, header & 0x03, what)
        yield Packet(tag, octets.take(length))


def _old_length(octets: Octets, kind: int, what: str) -> int:
    if kind == _INDETERMINATE:
        raise Malformed(f"{what} has a packet of indeterminate length")
    return octets.number(1 << kind)


def _new_length(octets: Octets, what: str) -> int:
    first = octets.number(1)
    if _PARTIAL <= first < _FIVE_OCTETS:
        raise Malformed(f"{what} has a packet that is split into parts")
    return long_length(octets, first)


def long_length(octets: Octets, first: int) -> int:
    """Read a length of one, two or five bytes; ``first`` has been read already."""
    if first < _TWO_OCTETS:
        return first
    if first == _FIVE_OCTETS:
        return octets.number(4)
    return ((first - _TWO_OCTETS) << 8) + octets.number(1) + _TWO_OCTETS


def dearmored(data: bytes, label: str, what: str) -> bytes:
    """Return binary data as it is, or the content of its armor.

    Args:
        data: The bytes of a file.
        label: The label that the armor must have: ``SIGNATURE`` or ``PUBLIC KEY BLOCK``.
        what: The name of the data in messages.

    Raises:
        Malformed: The armor is broken, there are several, or there is other data around it.
    """
    if not data or data[0] & 0x80:
        return data
    lines = data.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    begin, end = b"%s%s-----" % (_ARMOR_START, label.encode()), b"-----END PGP %s-----"
    if lines[0] != begin:
        found = "other armor" if lines[0].startswith(_ARMOR_START) else "neither packets nor armor"
        raise Malformed(f"{what} has {found}: expected '{begin.decode()}'")
    if lines[-1] != end % label.encode():
        raise Malformed(f"{what} does not end with '{(end % label.encode()).decode()}'")
    try:
        blank = lines.index(b"")
    except ValueError:
        raise Malformed(f"{what} has no blank line after its armor headers") from None
    for header in lines[1:blank]:
        if not _ARMOR_HEADER.fullmatch(header):
            raise Malformed(f"{what} has an unknown header in its armor")
    return _armored_bytes(lines[blank + 1 : -1], what)


def _armored_bytes(lines: list[bytes], what: str) -> bytes:
    """Decode lines of Base64, and check the checksum after them; gpg 2.2 requires it."""
    if not lines or not lines[-1].startswith(b"="):
        raise Malformed(f"{what} has no checksum at the end of its armor")
    checksum = lines.pop()
    if not lines:
        raise Malformed(f"{what} has empty armor")
    full = len(lines[0])
    lengths_right = all(len(line) == full for line in lines[:-1]) and len(lines[-1]) <= full
    if full > _ARMOR_LINE_CHARACTERS or not lengths_right:
        raise Malformed(f"{what} has lines of unequal length in its armor")
    if not all(_ARMOR_LINE.fullmatch(line) for line in lines):
        raise Malformed(f"{what} has lines in its armor that are not Base64")
    text = b"".join(lines)
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Malformed(f"{what} has invalid Base64 in its armor: {error}") from error
    if base64.b64encode(decoded) != text:
        raise Malformed(f"{what} has Base64 in its armor that no encoder writes")
    if checksum != b"=" + base64.b64encode(crc24(decoded).to_bytes(3, "big")):
        raise Malformed(f"{what} has a checksum in its armor that does not match its content")
    return decoded


@cache
def _crc24_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 16
        for _ in range(8):
            value = value << 1 ^ (0x1864CFB if value & 0x800000 else 0)
        table.append(value)
    return tuple(table)


def crc24(data: bytes) -> int:
    """Return the checksum of armor (RFC 9580, 6.1)."""
    table = _crc24_table()
    value = 0xB704CE
    for byte in data:
        value = (value << 8 & 0xFFFFFF) ^ table[value >> 16 ^ byte]
    return value
