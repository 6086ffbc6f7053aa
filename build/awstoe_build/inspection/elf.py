"""Reads the requirements of ELF files: processor, versions of glibc, and libraries."""

import struct
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure
from awstoe_build.targets import Glibc

MAGIC: Final = b"\x7fELF"
_VERNEED: Final = 0x6FFFFFFE
_LITTLE_ENDIAN: Final = 1
_WIDE: Final = 64
_DYNAMIC: Final = 6
# Entries of a dynamic section.
_END: Final = 0
_NEEDED: Final = 1
_SONAME: Final = 14


class Elf(NamedTuple):
    """The facts about one file."""

    bits: int
    machine: int
    glibc: Glibc
    """The highest version of glibc that a symbol requires; (0, 0) if no symbol does."""
    needed: tuple[str, ...] = ()
    """The libraries that it needs, by name (DT_NEEDED)."""
    soname: str = ""
    """The name by which the dynamic loader knows it (DT_SONAME); empty if it has none."""


class _Section(NamedTuple):
    kind: int
    offset: int
    size: int
    link: int
    entries: int


def read(data: bytes, name: str) -> Elf:
    """Read an ELF file.

    Args:
        data: Its content. Anything after the ELF file itself is ignored.
        name: Its name for messages.

    Raises:
        BuildFailure: It is not an ELF file, or one that this function cannot read.
    """
    if not data.startswith(MAGIC):
        raise BuildFailure(f"{name} is not an ELF file")
    try:
        bits = {1: 32, 2: 64}[data[4]]
        if data[5] != _LITTLE_ENDIAN:
            raise BuildFailure(f"{name} is an ELF file for a big-endian machine")
        (machine,) = struct.unpack_from("<H", data, 18)
        sections = _sections(data, bits)
        versions = _versions(data, sections)
        dynamic = _dynamic(data, sections, bits)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise BuildFailure(f"{name} is a damaged ELF file: {error}") from error
    return Elf(
        bits,
        machine,
        max(versions, default=(0, 0)),
        needed=tuple(name for tag, name in dynamic if tag == _NEEDED),
        soname=next((name for tag, name in dynamic if tag == _SONAME), ""),
    )


def _versions(data: bytes, sections: list[_Section]) -> set[Glibc]:
    """Return all GLIBC_x.y in the symbol version requirements. GLIBC_x.y.z counts as x.y."""
    found = set()
    for section in sections:
        if section.kind != _VERNEED:
            continue
        names = sections[section.link]
        position = section.offset
        for _ in range(section.entries):
            _, count, _, first, following = struct.unpack_from("<HHIII", data, position)
            each = position + first
            for _ in range(count):
                _, _, _, text, after = struct.unpack_from("<IHHII", data, each)
                name = _text(data, names, text)
                if name.startswith("GLIBC_") and name[6:7].isdigit():
                    major, minor = name[6:].split(".")[:2]
                    found.add((int(major), int(minor)))
                each += after
            position += following
    return found


def _dynamic(data: bytes, sections: list[_Section], bits: int) -> list[tuple[int, str]]:
    """Return those entries of the dynamic sections that are names of libraries."""
    row = struct.Struct("<QQ" if bits == _WIDE else "<II")
    found = []
    for section in sections:
        if section.kind != _DYNAMIC:
            continue
        for position in range(section.offset, section.offset + section.size, row.size):
            tag, value = row.unpack_from(data, position)
            if tag == _END:
                break
            if tag in (_NEEDED, _SONAME):
                found.append((tag, _text(data, sections[section.link], value)))
    return found


def _text(data: bytes, names: _Section, offset: int) -> str:
    start = names.offset + offset
    return data[start : data.index(0, start)].decode("ascii", "replace")


def _sections(data: bytes, bits: int) -> list[_Section]:
    wide = bits == _WIDE
    (table,) = struct.unpack_from("<Q", data, 40) if wide else struct.unpack_from("<I", data, 32)
    size, count = struct.unpack_from("<HH", data, 58 if wide else 46)
    if not count:
        raise ValueError("it has no sections")
    found = []
    for _ in range(count):
        header = struct.unpack_from("<IIQQQQIIQQ" if wide else "<IIIIIIIIII", data, table)
        found.append(_Section(header[1], header[4], header[5], header[6], header[7]))
        table += size
    return found
