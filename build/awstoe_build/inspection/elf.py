"""Reads from ELF files what the floor is about: machine, and versions of glibc asked for."""

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
    """What is known of one file."""

    bits: int
    machine: int
    glibc: Glibc
    """The highest version that a symbol is asked for in; (0, 0) if there is none."""
    needed: tuple[str, ...] = ()
    """The libraries that it asks the dynamic loader for."""
    soname: str = ""
    """What the dynamic loader knows it by once it is loaded; empty if it does not say."""


class _Section(NamedTuple):
    kind: int
    offset: int
    size: int
    link: int
    entries: int


def read(data: bytes, name: str) -> Elf:
    """Read an ELF file.

    Args:
        data: Its content; what follows the ELF file itself is ignored.
        name: What to call it in messages.

    Raises:
        BuildFailure: It is no ELF file that we understand.
    """
    if not data.startswith(MAGIC):
        raise BuildFailure(f"{name} is no ELF file")
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
    """All GLIBC_x.y that the symbol version requirements name; GLIBC_x.y.z counts as x.y."""
    found = set()
    for section in sections:
        if section.kind != _VERNEED:
            continue
        names = sections[section.link]
        place = section.offset
        for _ in range(section.entries):
            _, count, _, first, following = struct.unpack_from("<HHIII", data, place)
            each = place + first
            for _ in range(count):
                _, _, _, text, after = struct.unpack_from("<IHHII", data, each)
                name = _text(data, names, text)
                if name.startswith("GLIBC_") and name[6:7].isdigit():
                    major, minor = name[6:].split(".")[:2]
                    found.add((int(major), int(minor)))
                each += after
            place += following
    return found


def _dynamic(data: bytes, sections: list[_Section], bits: int) -> list[tuple[int, str]]:
    """The entries of the dynamic sections that are names of libraries."""
    row = struct.Struct("<QQ" if bits == _WIDE else "<II")
    found = []
    for section in sections:
        if section.kind != _DYNAMIC:
            continue
        for place in range(section.offset, section.offset + section.size, row.size):
            tag, value = row.unpack_from(data, place)
            if tag == _END:
                break
            if tag in (_NEEDED, _SONAME):
                found.append((tag, _text(data, sections[section.link], value)))
    return found


def _text(data: bytes, names: _Section, place: int) -> str:
    begin = names.offset + place
    return data[begin : data.index(0, begin)].decode("ascii", "replace")


def _sections(data: bytes, bits: int) -> list[_Section]:
    wide = bits == _WIDE
    (table,) = struct.unpack_from("<Q", data, 40) if wide else struct.unpack_from("<I", data, 32)
    size, count = struct.unpack_from("<HH", data, 58 if wide else 46)
    if not count:
        raise ValueError("it has no sections")
    found = []
    for _ in range(count):
        head = struct.unpack_from("<IIQQQQIIQQ" if wide else "<IIIIIIIIII", data, table)
        found.append(_Section(head[1], head[4], head[5], head[6], head[7]))
        table += size
    return found
