"""Finds the signature in a Windows program (PE), and hashes the bytes that it covers.

Only unambiguous programs are accepted: one table with one signature, at the very end of the file,
after all sections. Everything is hashed except three fields: the checksum, the entry that locates
the table, and the table. The first two follow from the rest of the file and are compared with it,
so no byte that Windows loads can be changed.

Source: Microsoft's "PE Format" and "Windows Authenticode Portable Executable Signature Format".
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, Protocol

from awstoe.errors import TrustError
from awstoe.limits import MIB, READ_CHUNK_BYTES

TABLE_BYTES: Final = 1 * MIB
"""Largest signature that is read into memory. A real one with its timestamp has about 14 KB."""
TABLE_ALIGNMENT: Final = 8
ENTRY_HEADER: Final = struct.Struct("<IHH")
"""WIN_CERTIFICATE: length including this header, revision, type."""
REVISION_2: Final = 0x0200
PKCS_SIGNED_DATA: Final = 0x0002

_MZ_HEADER_BYTES: Final = 64
_PE_POINTER: Final = 0x3C
_HEADERS_BYTES: Final = 64 * 1024
_FILE_HEADER: Final = struct.Struct("<2xH12xHH")
"""Number of sections, size of the optional header, flags."""
_SECTION_BYTES: Final = 40
_RAW_DATA: Final = struct.Struct("<16xII")
"""Of a section: size and offset in the file."""
_DIRECTORIES: Final = {0x10B: 96, 0x20B: 112}
"""Offset of the directories in the optional header, by its magic number: PE32, PE32+."""
_CHECKSUM: Final = 64
_SECURITY: Final = 4
_DIRECTORY: Final = struct.Struct("<II")
_MOST_DIRECTORIES: Final = 16
_DER_LENGTHS: Final = (2, 3)
"""Bytes that encode the length of a signature: more than 127 bytes, up to 16 MiB."""


class Hash(Protocol):
    """A hash of hashlib or ``cryptography``."""

    def update(self, data: bytes, /) -> object: ...


class PeFile(NamedTuple):
    """The parts of a program, as its headers describe them. All ``_at`` are offsets."""

    headers: bytes
    """The file from its start to the end of the directories."""
    checksum_at: int
    checksum: int
    security_at: int
    """The entry in the headers that locates the table."""
    table_at: int
    """The table of signatures, or the end of the file if the program is not signed."""
    table_size: int
    """0 if the program is not signed."""
    file_size: int


def is_program(file: BinaryIO) -> bool:
    """Whether the file starts like a Windows program. Other files are not checked here."""
    file.seek(0)
    return file.read(2) == b"MZ"


def read_headers(file: BinaryIO) -> PeFile:
    """Read the headers, after checks that leave only one interpretation.

    Raises:
        TrustError: They contradict themselves, or the file.
    """
    size = file.seek(0, 2)
    file.seek(0)
    data = file.read(_HEADERS_BYTES)
    if len(data) < _MZ_HEADER_BYTES or data[:2] != b"MZ":
        raise TrustError("not a Windows program: no MZ header")
    (pe_at,) = struct.unpack_from("<I", data, _PE_POINTER)
    if pe_at < _MZ_HEADER_BYTES or pe_at % 4 or data[pe_at : pe_at + 4] != b"PE\0\0":
        raise TrustError("not a Windows program: no PE header where the MZ header says")
    optional_at = pe_at + 4 + _FILE_HEADER.size
    sections, optional_size, magic, count_at = _file_header(data, pe_at + 4, optional_at)
    security_at = count_at + 4 + _SECURITY * _DIRECTORY.size
    sections_at = optional_at + optional_size
    sections_end = sections_at + sections * _SECTION_BYTES
    (count,) = struct.unpack_from("<I", data, count_at)
    directories_end = count_at + 4 + count * _DIRECTORY.size
    if not _SECURITY < count <= _MOST_DIRECTORIES or directories_end > sections_at:
        raise TrustError(f"the header (magic {magic:#x}) has no place for a signature")
    if sections_end > len(data):
        raise TrustError("the headers are larger than those of any program, or truncated")
    (checksum,) = struct.unpack_from("<I", data, optional_at + _CHECKSUM)
    table_at, table_size = _DIRECTORY.unpack_from(data, security_at)
    if (table_at, table_size) == (0, 0):
        table_at = size
    end = max([sections_end, *_ends_of_sections(data, sections_at, sections)])
    if table_at < end:
        raise TrustError(
            f"the signature is inside the program: at {table_at}, but the program ends at {end}"
        )
    if table_at + table_size != size:
        raise TrustError(
            f"the signature does not end where the file ends: at {table_at + table_size} of {size}"
        )
    return PeFile(
        data[: security_at + _DIRECTORY.size],
        optional_at + _CHECKSUM,
        checksum,
        security_at,
        table_at,
        table_size,
        size,
    )


def _file_header(data: bytes, at: int, optional_at: int) -> tuple[int, int, int, int]:
    """Return section count, optional header size, magic number, offset of the directory count."""
    try:
        sections, optional_size, _flags = _FILE_HEADER.unpack_from(data, at)
        (magic,) = struct.unpack_from("<H", data, optional_at)
        count_at = optional_at + _DIRECTORIES[magic] - 4
        struct.unpack_from("<I", data, count_at)
    except struct.error as error:
        raise TrustError("the headers are truncated") from error
    except KeyError as error:
        raise TrustError("the header is neither PE32 nor PE32+") from error
    return sections, optional_size, magic, count_at


def _ends_of_sections(data: bytes, at: int, count: int) -> Iterator[int]:
    for number in range(count):
        size, place = _RAW_DATA.unpack_from(data, at + number * _SECTION_BYTES)
        if size:
            yield place + size


def read_signature(file: BinaryIO, program: PeFile) -> bytes:
    """Return the one signature of the table, without the padding after it.

    Raises:
        TrustError: The table is not exactly one PKCS #7 signature and up to seven zero bytes.
    """
    if program.table_size > TABLE_BYTES:
        raise TrustError(
            f"the signature has {program.table_size} bytes; the limit is {TABLE_BYTES}"
        )
    if program.table_at % TABLE_ALIGNMENT or program.table_size % TABLE_ALIGNMENT:
        raise TrustError("the signature does not start and end at a multiple of 8")
    file.seek(program.table_at)
    table = file.read(program.table_size)
    if len(table) != program.table_size:
        raise TrustError("the file became shorter while it was read")
    length, revision, kind = ENTRY_HEADER.unpack_from(table)
    if length != program.table_size:
        raise TrustError(
            f"expected one signature of {program.table_size} bytes in the table, got {length}"
        )
    if (revision, kind) != (REVISION_2, PKCS_SIGNED_DATA):
        raise TrustError(f"the signature is of another type: revision {revision:#x}, type {kind}")
    body = table[ENTRY_HEADER.size :]
    end = _end_of_der(body)
    padding = body[end:]
    if len(padding) >= TABLE_ALIGNMENT or padding.strip(b"\0"):
        raise TrustError(
            f"{len(padding)} bytes are hidden after the signature; expected up to 7 zero bytes"
        )
    return body[:end]


def _end_of_der(body: bytes) -> int:
    """Return the offset at which the structure at the start of ``body`` ends."""
    lengths = body[1] - 0x80 if len(body) > 1 else 0
    if body[:1] != b"\x30" or lengths not in _DER_LENGTHS:
        raise TrustError("the signature is not a PKCS #7 structure")
    end = 2 + lengths + int.from_bytes(body[2 : 2 + lengths], "big")
    if end > len(body):
        raise TrustError("the signature is truncated")
    return end


def hash_program(file: BinaryIO, program: PeFile, digest: Hash) -> int:
    """Feed the signed bytes into ``digest``, and return the checksum that the file should have.

    The file is read once, in chunks: a program may have any size.

    Raises:
        TrustError: The file became shorter while it was read.
    """
    headers, checksum_at = program.headers, program.checksum_at
    file.seek(0)
    if file.read(len(headers)) != headers:
        raise TrustError("the file changed while it was read")
    digest.update(headers[:checksum_at])
    digest.update(headers[checksum_at + 4 : program.security_at])
    words = _Words()
    words.add(headers[:checksum_at] + bytes(4) + headers[checksum_at + 4 :])
    for piece in _pieces(file, program.table_at - len(headers)):
        digest.update(piece)
        words.add(piece)
    for piece in _pieces(file, program.table_size):
        words.add(piece)
    return (words.folded() + program.file_size) & 0xFFFFFFFF


def _pieces(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count:
        piece = file.read(min(count, READ_CHUNK_BYTES))
        if not piece:
            raise TrustError("the file became shorter while it was read")
        count -= len(piece)
        yield piece


class _Words:
    """The checksum of the PE format: the sum of 16-bit words, with each carry added to the sum.

    That is a sum modulo 65535, where 65535 represents 0. A long number modulo 65535 is the sum of
    its 16-bit digits, and Python's integers compute that as fast as C.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._odd = b""

    def add(self, data: bytes) -> None:
        data = self._odd + data
        even = len(data) & ~1
        self._odd = data[even:]
        self._sum += int.from_bytes(data[:even], "little") % 0xFFFF

    def folded(self) -> int:
        self._sum += int.from_bytes(self._odd, "little")
        return self._sum % 0xFFFF or 0xFFFF
