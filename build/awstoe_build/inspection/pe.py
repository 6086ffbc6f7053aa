"""Reads the requirements of PE files, the programs and libraries of Windows."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure

MAGIC: Final = b"MZ"
AMD64: Final = 0x8664
_PE32_PLUS: Final = 0x20B
_DIRECTORIES: Final = 112
"""The offset of the data directories in the optional header of a 64-bit file."""
_EXPORTS: Final = 0
_IMPORTS: Final = 1
_RESOURCES: Final = 2
_DELAYED_IMPORTS: Final = 13
_VERSION: Final = 16
_MANIFEST: Final = 24


class _Section(NamedTuple):
    address: int
    size: int
    offset: int


class Pe(NamedTuple):
    """The facts about one file."""

    machine: int
    windows: tuple[int, int]
    """The lowest version of Windows that it declares: 6.0 is Vista, 10.0 is Windows 10."""
    image_base: int
    """The preferred address to load it at."""
    imports: tuple[str, ...]
    """The libraries that it needs, in lower case, including delay-loaded ones."""
    exports: tuple[str, ...]
    """The names that it exports."""
    has_version: bool
    """Whether it has a version resource."""
    manifest: str
    """Its application manifest; empty if it has none."""


def read(data: bytes, name: str) -> Pe:
    """Read a 64-bit PE file.

    Args:
        data: Its content. Anything after the PE file itself is ignored.
        name: Its name for messages.

    Raises:
        BuildFailure: It is not a PE file, or one that this function cannot read.
    """
    if not data.startswith(MAGIC):
        raise BuildFailure(f"{name} is not a PE file")
    try:
        return _Reader(data).read()
    except (struct.error, IndexError, ValueError) as error:
        raise BuildFailure(f"{name} is a damaged PE file: {error}") from error


class _Reader:
    """Reads one file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        (header,) = self._at(60, "<I")
        if data[header : header + 4] != b"PE\0\0":
            raise ValueError("it has no PE header")
        self._coff = header + 4
        self._optional = self._coff + 20
        if self._at(self._optional, "<H") != (_PE32_PLUS,):
            raise ValueError("it is not a 64-bit file")
        (count,) = self._at(self._coff + 2, "<H")
        (size,) = self._at(self._coff + 16, "<H")
        self._sections = [
            self._section(self._optional + size + 40 * position) for position in range(count)
        ]

    def read(self) -> Pe:
        (machine,) = self._at(self._coff, "<H")
        (base,) = self._at(self._optional + 24, "<Q")
        major, minor = self._at(self._optional + 48, "<HH")
        resources = {kind: self._resource(kind) for kind in (_VERSION, _MANIFEST)}
        return Pe(
            machine=machine,
            windows=(major, minor),
            image_base=base,
            imports=(*self._imports(_IMPORTS, 20, 12), *self._imports(_DELAYED_IMPORTS, 32, 4)),
            exports=tuple(self._exports()),
            has_version=bool(resources[_VERSION]),
            manifest=resources[_MANIFEST].decode("utf-8-sig", "replace"),
        )

    def _at(self, offset: int, layout: str) -> tuple[int, ...]:
        return struct.unpack_from(layout, self._data, offset)

    def _section(self, offset: int) -> _Section:
        size, address, raw, file_offset = self._at(offset + 8, "<IIII")
        return _Section(address, max(size, raw), file_offset)

    def _offset(self, address: int) -> int:
        """Return the offset in the file for an address in the loaded image."""
        for section in self._sections:
            if section.address <= address < section.address + section.size:
                return address - section.address + section.offset
        raise ValueError(f"no section has the address {address:#x}")

    def _directory(self, position: int) -> int:
        """Return the offset of a data directory; 0 if the file does not have it."""
        (count,) = self._at(self._optional + _DIRECTORIES - 4, "<I")
        if position >= count:
            return 0
        address, _ = self._at(self._optional + _DIRECTORIES + 8 * position, "<II")
        return self._offset(address) if address else 0

    def _text(self, address: int) -> str:
        start = self._offset(address)
        return self._data[start : self._data.index(0, start)].decode("ascii", "replace")

    def _imports(self, directory: int, entry: int, field: int) -> Iterator[str]:
        position = self._directory(directory)
        while position:
            (name,) = self._at(position + field, "<I")
            if not name:
                return
            yield self._text(name).lower()
            position += entry

    def _exports(self) -> Iterator[str]:
        directory = self._directory(_EXPORTS)
        if not directory:
            return
        (count,) = self._at(directory + 24, "<I")
        (names,) = self._at(directory + 32, "<I")
        for position in range(count):
            (name,) = self._at(self._offset(names) + 4 * position, "<I")
            yield self._text(name)

    def _resource(self, kind: int) -> bytes:
        """Return the first resource of a kind; empty if there is none."""
        start = self._directory(_RESOURCES)
        if not start:
            return b""
        entries = dict(self._resource_entries(start, 0))
        offset = entries.get(kind)
        while offset is not None and offset & 0x80000000:
            below = list(self._resource_entries(start, offset & 0x7FFFFFFF))
            offset = below[0][1] if below else None
        if offset is None:
            return b""
        address, size = self._at(start + offset, "<II")
        content = self._offset(address)
        return self._data[content : content + size]

    def _resource_entries(self, start: int, table: int) -> Iterator[tuple[int, int]]:
        named, numbered = self._at(start + table + 12, "<HH")
        for position in range(named + numbered):
            name, offset = self._at(start + table + 16 + 8 * position, "<II")
            yield name, offset
