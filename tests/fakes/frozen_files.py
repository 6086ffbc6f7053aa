"""Writes frozen programs in PyInstaller's format."""

import marshal
import struct
import zlib


def frozen_file(
    loader: bytes,
    files: dict[str, bytes] | None = None,
    modules: dict[str, bytes] | None = None,
) -> bytes:
    """Return a bootloader followed by an archive of files and modules."""
    content, places = b"", []
    for name, code in (modules or {"awstoe.__main__": b"code"}).items():
        packed = zlib.compress(code)
        places.append((name, (0, 12 + len(content), len(packed))))
        content += packed
    archive = b"PYZ\0" + b"magc" + struct.pack("!i", 12 + len(content)) + content
    archive += marshal.dumps(places)
    body, table = b"", b""
    entries = [("PYZ.pyz", b"z", archive), ("start", b"s", b"code")]
    entries += [(name, b"b", data) for name, data in (files or {}).items()]
    for name, kind, data in entries:
        packed = zlib.compress(data)
        title = name.encode() + b"\0" * (16 - len(name.encode()) % 16)
        table += struct.pack("!IIIIBc", 18 + len(title), len(body), len(packed), len(data), 1, kind)
        table += title
        body += packed
    length = len(body) + len(table) + 88
    cookie = struct.pack(
        *(
            "!8sIIII64s",
            b"MEI\014\013\012\013\016",
            length,
            len(body),
            len(table),
            313,
            b"libpython",
        )
    )
    return loader + body + table + cookie
