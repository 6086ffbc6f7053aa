"""The outer layers of OpenPGP data: ASCII armor, packets, numbers (RFC 9580, sections 4 to 6).

Strict on purpose: one way to write a thing is enough for what gpg, Sequoia and we make, and every
byte that a reader may skip is one that an attacker may choose. Everything raises ``Malformed``.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

SIGNATURE: Final = 2
SECRET_KEY: Final = 5
PUBLIC_KEY: Final = 6
SECRET_SUBKEY: Final = 7
USER_ID: Final = 13
PUBLIC_SUBKEY: Final = 14
USER_ATTRIBUTE: Final = 17

_ARMOR_START: Final = b"-----BEGIN PGP "
_ARMOR_HEADER: Final = re.compile(rb"(Version|Comment|Hash|Charset|MessageID): [ -~]*")
_ARMOR_LINE: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_ARMOR_LINE_CHARACTERS: Final = 76
_NUMBER_BITS: Final = 16384
"""Longest number read: more bits than any key that is accepted, and the limit of gpg."""


class Malformed(Exception):
    """The data is not what it has to be; the text says what was found where."""


class Packet(NamedTuple):
    """One packet."""

    tag: int
    body: bytes


class Octets:
    """Reads bytes from front to back and never past the end."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._position = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._position

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes.

        Raises:
            Malformed: There are not so many.
        """
        if count > self.left:
            raise Malformed(
                f"{self._what} is cut short: {count} bytes are expected at byte {self._position},"
                f" {self.left} are there"
            )
        self._position += count
        return self._data[self._position - count : self._position]

    def number(self, octets: int) -> int:
        """The next ``octets`` bytes as an unsigned number."""
        return int.from_bytes(self.take(octets), "big")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def mpi(self) -> int:
        """The next multiprecision integer; its bit count must be exact."""
        bits = self.number(2)
        if bits > _NUMBER_BITS:
            raise Malformed(f"{self._what} has a number of {bits} bits; {_NUMBER_BITS} is the most")
        value = self.number((bits + 7) // 8)
        if value.bit_length() != bits:
            raise Malformed(
                f"{self._what} has a number of {value.bit_length()} bits that claims {bits}"
            )
        return value

    def end(self) -> None:
        """Assert that everything was read.

        Raises:
            Malformed: Something follows.
        """
        if self.left:
            raise Malformed(f"{self._what} has {self.left} bytes after its end")


def packets(data: bytes, what: str) -> Iterator[Packet]:
    """The packets in binary data.

    Args:
        data: Nothing but packets.
        what: The data in a person's words, for errors.

    Raises:
        Malformed: Something else is there, or a packet has no definite length.
    """
    octets = Octets(data, what)
    while octets.left:
        header = octets.number(1)
        if not header & 0x80:
            raise Malformed(f"{what} has a byte 0x{header:02x} where a packet has to begin")
        if header & 0x40:
            tag, length = header & 0x3F, _new_length(octets, what)
        else:
            tag, length = (header >> 2) & 0x0F, _old_length(octets, header & 0x03, what)
        yield Packet(tag, octets.take(length))


def _old_length(octets: Octets, kind: int, what: str) -> int:
    if kind == 3:  # noqa: PLR2004 - the length type "indeterminate"
        raise Malformed(f"{what} has a packet of indeterminate length")
    return octets.number(1 << kind)


def _new_length(octets: Octets, what: str) -> int:
    first = octets.number(1)
    if 224 <= first < 255:  # noqa: PLR2004 - RFC 9580, 4.2.1.4
        raise Malformed(f"{what} has a packet that comes in parts")
    return long_length(octets, first)


def long_length(octets: Octets, first: int) -> int:
    """A length of one, two or five bytes, of which ``first`` has been read."""
    if first < 192:  # noqa: PLR2004 - RFC 9580, 4.2.1
        return first
    if first == 255:  # noqa: PLR2004
        return octets.number(4)
    return ((first - 192) << 8) + octets.number(1) + 192


def dearmored(data: bytes, label: str, what: str) -> bytes:
    """Binary data as it is, or what is inside its armor.

    Args:
        data: The bytes of a file.
        label: What the armor has to say it holds: ``SIGNATURE`` or ``PUBLIC KEY BLOCK``.
        what: The data in a person's words, for errors.

    Raises:
        Malformed: The armor is broken, there is more than one, or something stands around it.
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
        raise Malformed(f"{what} has no blank line after the headers of its armor") from None
    for header in lines[1:blank]:
        if not _ARMOR_HEADER.fullmatch(header):
            raise Malformed(f"{what} has an unknown header in its armor")
    return _armored_bytes(lines[blank + 1 : -1], what)


def _armored_bytes(lines: list[bytes], what: str) -> bytes:
    """What lines of Base64 and the checksum after them say; gpg 2.2 insists on the checksum."""
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
        raise Malformed(f"{what} has lines in its armor that are no Base64")
    text = b"".join(lines)
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Malformed(f"{what} has wrong Base64 in its armor: {error}") from error
    if base64.b64encode(decoded) != text:
        raise Malformed(f"{what} has Base64 in its armor that no encoder makes")
    if checksum != b"=" + base64.b64encode(crc24(decoded).to_bytes(3, "big")):
        raise Malformed(f"{what} has another checksum in its armor than its content")
    return decoded


def crc24(data: bytes) -> int:
    """The checksum of armor (RFC 9580, 6.1)."""
    value = 0xB704CE
    for byte in data:
        value ^= byte << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value
