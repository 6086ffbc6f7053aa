"""Reads an executable: the files that it unpacks and the modules inside.

PyInstaller's archive is in a section of the executable's ELF file. It ends with a cookie, which has
the offsets, and before that is a table of contents. One entry is the archive of modules, which has
a table of its own.
"""

import marshal
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from awstoe_build.archive import FILE
from awstoe_build.failure import BuildFailure

_COOKIE_MAGIC: Final = b"MEI\014\013\012\013\016"
_COOKIE: Final = struct.Struct("!8sIIII64s")
_ENTRY: Final = struct.Struct("!IIIIBc")
_MODULES_MAGIC: Final = b"PYZ\0"
_DATA: Final = 2
"""The kind of those entries in the archive of modules that are data."""


class Bundle(NamedTuple):
    """The parts of an executable."""

    files: Mapping[str, bytes]
    """The files that are unpacked, at the start or later, by name."""
    scripts: Mapping[str, bytes]
    """The compiled code that runs at the start, by name."""
    modules: Mapping[str, bytes]
    """The compiled code of the modules, by full name."""
    archived: int
    """The size of the whole archive, compressed."""


def is_bundle(data: bytes) -> bool:
    """Whether a program contains an archive, which may be damaged."""
    return _COOKIE_MAGIC in data


def read(data: bytes, name: str) -> Bundle:
    """Read the parts of an executable.

    Args:
        data: The executable's content.
        name: Its name for messages.

    Raises:
        BuildFailure: It contains no archive, or the archive is damaged.
    """
    end = data.rfind(_COOKIE_MAGIC)
    if end < 0:
        raise BuildFailure(f"{name} is not a frozen program: it contains no archive")
    try:
        _, length, table, size, _, _ = _COOKIE.unpack_from(data, end)
        start = end + _COOKIE.size - length
        files: dict[str, bytes] = {}
        scripts: dict[str, bytes] = {}
        modules: dict[str, bytes] = {}
        for kind, entry, content in _entries(data, start, start + table, size):
            if kind == b"z":
                for module, is_data, code in _modules(content):
                    if not is_data:
                        modules[module] = code
                    elif module.startswith(FILE):
                        files[module.removeprefix(FILE)] = code
            elif kind in (b"s", b"m", b"M"):
                scripts[entry] = content
            elif kind in (b"b", b"x", b"Z"):
                files[entry] = content
    except (struct.error, zlib.error, ValueError, EOFError, TypeError, KeyError) as error:
        raise BuildFailure(f"the archive in {name} is damaged: {error}") from error
    return Bundle(files, scripts, modules, length)


def _entries(data: bytes, start: int, table: int, size: int) -> Iterator[tuple[bytes, str, bytes]]:
    """Yield the archive's entries: kind, name and content."""
    position = table
    while position < table + size:
        length, offset, packed, _, compressed, kind = _ENTRY.unpack_from(data, position)
        name = data[position + _ENTRY.size : position + length].rstrip(b"\0").decode()
        content = data[start + offset : start + offset + packed]
        yield kind, name, zlib.decompress(content) if compressed else content
        position += length


def _modules(archive: bytes) -> Iterator[tuple[str, bool, bytes]]:
    """Yield the entries of the archive of modules: name, whether it is data, and content."""
    if not archive.startswith(_MODULES_MAGIC):
        raise ValueError("its archive of modules has the wrong magic number")
    (table,) = struct.unpack_from("!i", archive, 8)
    # Our own build wrote it: a list of plain tuples.
    for name, (kind, offset, length) in marshal.loads(archive[table:]):  # noqa: S302
        content = archive[offset : offset + length]
        yield name, kind == _DATA, zlib.decompress(content) if content else b""
