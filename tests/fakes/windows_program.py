"""Writes small Windows programs with valid headers and without any function."""

import struct
from typing import Final

_PE_AT: Final = 0x80
_SECTION_AT: Final = 0x200
_KINDS: Final = {"PE32": (0x14C, 0x10B, 96), "PE32+": (0x8664, 0x20B, 112)}
CHECKSUM_AT: Final = _PE_AT + 24 + 64


def make_program(kind: str = "PE32+", *, payload: bytes = b"", directories: int = 16) -> bytes:
    """Return a program with a section of 64 bytes, followed by ``payload`` as in frozen ones."""
    machine, magic, header = _KINDS[kind]
    optional = bytearray(header + directories * 8)
    struct.pack_into("<H", optional, 0, magic)
    struct.pack_into("<II", optional, 32, 0x1000, _SECTION_AT)  # alignments in memory and file
    struct.pack_into("<I", optional, 60, _SECTION_AT)  # size of all headers
    struct.pack_into("<I", optional, header - 4, directories)
    data = bytearray(_SECTION_AT)
    data[:2] = b"MZ"
    struct.pack_into("<I", data, 0x3C, _PE_AT)
    data[_PE_AT : _PE_AT + 4] = b"PE\0\0"
    struct.pack_into("<HH12xHH", data, _PE_AT + 4, machine, 1, len(optional), 0x22)
    data[_PE_AT + 24 : _PE_AT + 24 + len(optional)] = optional
    section = struct.pack("<8s8xII16x", b".text", 64, _SECTION_AT)
    at = _PE_AT + 24 + len(optional)
    data[at : at + 40] = section
    return bytes(data) + bytes(range(64)) + payload


def security_at(program: bytes) -> int:
    """Return the offset of the entry that locates the signature."""
    (magic,) = struct.unpack_from("<H", program, _PE_AT + 24)
    return _PE_AT + 24 + {0x10B: 96, 0x20B: 112}[magic] + 32


def table_of(program: bytes) -> tuple[int, int]:
    """Return the offset and size of the signature."""
    at, size = struct.unpack_from("<II", program, security_at(program))
    return at, size


def with_table(program: bytes, at: int, size: int) -> bytes:
    """Return the program with another signature offset in its headers."""
    where = security_at(program)
    return program[:where] + struct.pack("<II", at, size) + program[where + 8 :]


def with_checksum(program: bytes) -> bytes:
    """Return the program with its correct checksum, computed word by word."""
    data = program[:CHECKSUM_AT] + bytes(4) + program[CHECKSUM_AT + 4 :]
    total = 0
    for (word,) in struct.iter_unpack("<H", data + bytes(len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    total += len(data)
    return data[:CHECKSUM_AT] + struct.pack("<I", total) + data[CHECKSUM_AT + 4 :]
