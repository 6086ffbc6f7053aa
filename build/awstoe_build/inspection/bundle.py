"""Reads a frozen program: the files it unpacks and the modules it has inside.

PyInstaller's archive is in a section of the program's own ELF file. Its end is a cookie with the
places of everything, a table of contents stands before it, and one entry of that is the archive of
modules, with a table of its own.
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
"""The kind of an entry among the modules that is none."""


class Bundle(NamedTuple):
    """The parts of a frozen program."""

    files: Mapping[str, bytes]
    """What is unpacked, by name: at the start, and when a module needs it."""
    scripts: Mapping[str, bytes]
    """What runs at the start, by name: compiled code."""
    modules: Mapping[str, bytes]
    """The modules, by full name: compiled code."""
    archived: int
    """The size of the whole archive, compressed."""


def is_bundle(data: bytes) -> bool:
    """Whether a program has an archive in it; it may be damaged."""
    return _COOKIE_MAGIC in data


def read(data: bytes, name: str) -> Bundle:
    """Take a frozen program apart.

    Args:
        data: The program.
        name: What to call it in messages.

    Raises:
        BuildFailure: There is no archive in it, or it is damaged.
    """
    end = data.rfind(_COOKIE_MAGIC)
    if end < 0:
        raise BuildFailure(f"{name} is no frozen program: there is no archive in it")
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
    """The archive's entries: kind, name and content."""
    place = table
    while place < table + size:
        length, offset, packed, _, compressed, kind = _ENTRY.unpack_from(data, place)
        name = data[place + _ENTRY.size : place + length].rstrip(b"\0").decode()
        content = data[start + offset : start + offset + packed]
        yield kind, name, zlib.decompress(content) if compressed else content
        place += length


def _modules(archive: bytes) -> Iterator[tuple[str, bool, bytes]]:
    """What is in PyInstaller's archive of modules: name, whether it is data, and content."""
    if not archive.startswith(_MODULES_MAGIC):
        raise ValueError("its modules do not begin as they should")
    (table,) = struct.unpack_from("!i", archive, 8)
    # Data of our own making, a list of plain tuples.
    for name, (kind, offset, length) in marshal.loads(archive[table:]):  # noqa: S302
        content = archive[offset : offset + length]
        yield name, kind == _DATA, zlib.decompress(content) if content else b""
