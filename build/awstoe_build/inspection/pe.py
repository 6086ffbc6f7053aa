"""Reads from PE files, the programs and libraries of Windows, what the inspection is about."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure

MAGIC: Final = b"MZ"
AMD64: Final = 0x8664
_PE32_PLUS: Final = 0x20B
_DIRECTORIES: Final = 112
"""Where the table of data directories begins in the optional header of a 64-bit file."""
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
    """What is known of one file."""

    machine: int
    windows: tuple[int, int]
    """The lowest version of Windows that it says it runs on: 6.0 is Vista, 10.0 is 10."""
    image_base: int
    """The address that it would like to be loaded at."""
    imports: tuple[str, ...]
    """The libraries that it asks for, in lower case, those loaded late included."""
    exports: tuple[str, ...]
    """The names that it offers."""
    has_version: bool
    """Whether it has a version resource."""
    manifest: str
    """Its application manifest, empty if there is none."""


def read(data: bytes, name: str) -> Pe:
    """Read a 64-bit PE file.

    Args:
        data: Its content; what follows the PE file itself is ignored.
        name: What to call it in messages.

    Raises:
        BuildFailure: It is no PE file that we understand.
    """
    if not data.startswith(MAGIC):
        raise BuildFailure(f"{name} is no PE file")
    try:
        return _Reader(data).read()
    except (struct.error, IndexError, ValueError) as error:
        raise BuildFailure(f"{name} is a damaged PE file: {error}") from error


class _Reader:
    """Finds its way through one file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        (head,) = self._at(60, "<I")
        if data[head : head + 4] != b"PE\0\0":
            raise ValueError("it has no PE header")
        self._coff = head + 4
        self._optional = self._coff + 20
        if self._at(self._optional, "<H") != (_PE32_PLUS,):
            raise ValueError("it is no 64-bit file")
        (count,) = self._at(self._coff + 2, "<H")
        (size,) = self._at(self._coff + 16, "<H")
        self._sections = [
            self._section(self._optional + size + 40 * position) for position in range(count)
        ]

    def read(self) -> Pe:
        (machine,) = self._at(self._coff, "<H")
        (base,) = self._at(self._optional + 24, "<Q")
        major, minor = self._at(self._optional + 48, "<HH")
        found = {kind: self._resource(kind) for kind in (_VERSION, _MANIFEST)}
        return Pe(
            machine=machine,
            windows=(major, minor),
            image_base=base,
            imports=(*self._imports(_IMPORTS, 20, 12), *self._imports(_DELAYED_IMPORTS, 32, 4)),
            exports=tuple(self._exports()),
            has_version=bool(found[_VERSION]),
            manifest=found[_MANIFEST].decode("utf-8-sig", "replace"),
        )

    def _at(self, offset: int, layout: str) -> tuple[int, ...]:
        return struct.unpack_from(layout, self._data, offset)

    def _section(self, offset: int) -> _Section:
        size, address, raw, place = self._at(offset + 8, "<IIII")
        return _Section(address, max(size, raw), place)

    def _offset(self, address: int) -> int:
        """Where in the file something lies that has this address when it is loaded."""
        for section in self._sections:
            if section.address <= address < section.address + section.size:
                return address - section.address + section.offset
        raise ValueError(f"no section has the address {address:#x}")

    def _directory(self, position: int) -> int:
        """The place of a data directory; 0 if the file has none."""
        (count,) = self._at(self._optional + _DIRECTORIES - 4, "<I")
        if position >= count:
            return 0
        address, _ = self._at(self._optional + _DIRECTORIES + 8 * position, "<II")
        return self._offset(address) if address else 0

    def _text(self, address: int) -> str:
        start = self._offset(address)
        return self._data[start : self._data.index(0, start)].decode("ascii", "replace")

    def _imports(self, directory: int, entry: int, field: int) -> Iterator[str]:
        place = self._directory(directory)
        while place:
            (name,) = self._at(place + field, "<I")
            if not name:
                return
            yield self._text(name).lower()
            place += entry

    def _exports(self) -> Iterator[str]:
        place = self._directory(_EXPORTS)
        if not place:
            return
        (count,) = self._at(place + 24, "<I")
        (names,) = self._at(place + 32, "<I")
        for position in range(count):
            (name,) = self._at(self._offset(names) + 4 * position, "<I")
            yield self._text(name)

    def _resource(self, kind: int) -> bytes:
        """The first resource of a kind; empty if there is none."""
        start = self._directory(_RESOURCES)
        if not start:
            return b""
        entries = dict(self._resource_entries(start, 0))
        place = entries.get(kind)
        while place is not None and place & 0x80000000:
            below = list(self._resource_entries(start, place & 0x7FFFFFFF))
            place = below[0][1] if below else None
        if place is None:
            return b""
        address, size = self._at(start + place, "<II")
        content = self._offset(address)
        return self._data[content : content + size]

    def _resource_entries(self, start: int, table: int) -> Iterator[tuple[int, int]]:
        named, numbered = self._at(start + table + 12, "<HH")
        for position in range(named + numbered):
            name, place = self._at(start + table + 16 + 8 * position, "<II")
            yield name, place
