"""Writes PE files with one section, which contains imports, exports and resources."""

import struct
from collections.abc import Mapping, Sequence
from typing import Final

_HEAD: Final = 64
_OPTIONAL: Final = 112 + 16 * 8
_ADDRESS: Final = 0x1000
_CONTENT: Final = _HEAD + 24 + _OPTIONAL + 40
VERSION: Final = 16
MANIFEST: Final = 24


class _Content:
    """The section under construction. Its parts refer to each other by address."""

    def __init__(self) -> None:
        self.data = b""

    def put(self, data: bytes) -> int:
        """Append ``data`` and return its address."""
        address = _ADDRESS + len(self.data)
        self.data += data
        return address

    def text(self, name: str) -> int:
        return self.put(name.encode() + b"\0")


def pe_file(
    *,
    imports: Sequence[str] = (),
    late_imports: Sequence[str] = (),
    exports: Sequence[str] = (),
    resources: Mapping[int, bytes] | None = None,
    machine: int = 0x8664,
    windows: tuple[int, int] = (6, 0),
) -> bytes:
    """Return a 64-bit PE file.

    Args:
        imports: Libraries that are loaded with it.
        late_imports: Libraries that are loaded when they are needed.
        exports: Names that it exports.
        resources: Its resources, by kind.
        machine: The number of its processor.
        windows: The version of Windows that it requires.
    """
    content = _Content()
    content.put(b"first")
    directories = [0] * 16
    if exports:
        directories[0] = _exports(content, exports)
    if imports:
        entries = [struct.pack("<IIIII", 0, 0, 0, content.text(name), 0) for name in imports]
        directories[1] = content.put(b"".join(entries) + bytes(20))
    if resources:
        directories[2] = _resources(content, resources)
    if late_imports:
        entries = [struct.pack("<II24x", 1, content.text(name)) for name in late_imports]
        directories[13] = content.put(b"".join(entries) + bytes(32))
    optional = struct.pack("<H22xQ", 0x20B, 0x140000000) + bytes(16)
    optional += struct.pack("<HH", *windows)
    optional += bytes(108 - len(optional)) + struct.pack("<I", 16)
    optional += b"".join(struct.pack("<II", address, 1) for address in directories)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", machine, 1, 0, 0, 0, len(optional), 0x22)
    size = len(content.data)
    section = struct.pack("<8sIIII16x", b".data", size, _ADDRESS, size, _CONTENT)
    return b"MZ" + bytes(58) + struct.pack("<I", _HEAD) + coff + optional + section + content.data


def _exports(content: _Content, names: Sequence[str]) -> int:
    table = content.put(b"".join(struct.pack("<I", content.text(name)) for name in names))
    return content.put(struct.pack("<20xIIIII", 0, len(names), 0, table, 0))


def _resources(content: _Content, resources: Mapping[int, bytes]) -> int:
    """Append the resources, in three levels: kind, name, language."""
    places = {kind: content.put(data) for kind, data in resources.items()}
    level = 16 + 8 * len(resources)
    leaves = level + len(resources) * 48
    tables = struct.pack("<12xHH", 0, len(resources))
    for position, kind in enumerate(resources):
        tables += struct.pack("<II", kind, 0x80000000 | (level + 48 * position))
    for position in range(len(resources)):
        below = level + 48 * position + 24
        tables += struct.pack("<12xHHII", 0, 1, 1, 0x80000000 | below)
        tables += struct.pack("<12xHHII", 0, 1, 1033, leaves + 16 * position)
    for kind, data in resources.items():
        tables += struct.pack("<IIII", places[kind], len(data), 0, 0)
    return content.put(tables)
