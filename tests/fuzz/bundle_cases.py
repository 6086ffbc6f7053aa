"""Makes bundles: archives of a real repository with changed records, names, sizes and contents."""

import random
import struct
import zlib
from typing import NamedTuple

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
_HOSTILE = (
    *("../../etc/cron.d/x", "/etc/passwd", "..\\..\\x", "C:\\x", "a\0b", "", ".", "..", "a/../b"),
    *(
        "metadata//timestamp.json",
        "./metadata/timestamp.json",
        "metadata/timestamp.json/",
        "a" * 999,
    ),
    *("METADATA/timestamp.json", "é", "a\n", "metadata/timestamp.json ", "con", "a:b", "~/x"),
)


class Entry(NamedTuple):
    """A file of an archive, with the fields of both of its headers."""

    name: bytes
    data: bytes
    listed: bytes | None = None
    """Its name in the directory, if it is another one."""
    method: int = 0
    flags: int = 0
    size: int | None = None
    """The size in the directory, if it is not that of the data."""
    crc: int | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    offset: int | None = None
    """The offset in the directory, if it is not where the local header is."""
    unlisted: bool = False


class Archive(NamedTuple):
    """What is around the entries."""

    before: bytes = b""
    after: bytes = b""
    middle: bytes = b""
    """Between the directory and the record at the end."""
    entries: int | None = None
    directory_size: int | None = None
    directory_at: int | None = None
    disk: int = 0


def make(chance: random.Random, files: dict[str, bytes]) -> bytes:
    """Return a case from the files of a repository."""
    entries = [Entry(name.encode(), data) for name, data in files.items()]
    for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
        entries = _changed(chance, entries)
    archive = _around(chance) if chance.random() < 0.25 else Archive()
    data = written(entries, archive)
    if chance.random() < 0.3 and data:
        data = _bytes_changed(chance, data)
    return data


def written(entries: list[Entry], archive: Archive) -> bytes:
    """Return the bytes of an archive."""
    out, listed = bytearray(archive.before), bytearray()
    count = 0
    for each in entries:
        at = len(out)
        crc = zlib.crc32(each.data) if each.crc is None else each.crc
        size = len(each.data) if each.size is None else each.size
        data = zlib.compress(each.data)[2:-4] if each.method == 8 else each.data
        numbers = (each.flags, each.method, 0, 0x21, crc, len(data), len(each.data))
        out += _LOCAL.pack(b"PK\3\4", 20, *numbers, len(each.name), len(each.local_extra))
        out += each.name + each.local_extra + data
        if each.unlisted:
            continue
        count += 1
        name = each.name if each.listed is None else each.listed
        stored = len(data) if each.method == 8 or each.size is None else size
        listed += _CENTRAL.pack(
            *(b"PK\1\2", 20, 20, each.flags, each.method, 0, 0x21, crc, stored, size),
            *(len(name), len(each.extra), len(each.comment), 0, 0, 0),
            at if each.offset is None else each.offset,
        )
        listed += name + each.extra + each.comment
    size, at = len(listed), len(out)
    if archive.directory_size is not None:
        size = archive.directory_size
    if archive.directory_at is not None:
        at = archive.directory_at
    count = count if archive.entries is None else archive.entries
    out += listed + archive.middle
    out += _END.pack(
        b"PK\5\6",
        archive.disk,
        0,
        count & 0xFFFF,
        count & 0xFFFF,
        size + len(archive.middle),
        at,
        0,
    )
    return bytes(out + archive.after)


def _changed(chance: random.Random, entries: list[Entry]) -> list[Entry]:
    """Return entries with one change: of one entry, or of their list."""
    if not entries:
        return entries
    entries = list(entries)
    at, other = chance.randrange(len(entries)), chance.randrange(len(entries))
    one, two = entries[at], entries[other]
    change = chance.randrange(16)
    if change == 0:
        name = chance.choice(_HOSTILE).encode()
        entries.insert(other, one._replace(name=name, data=b"planted"))
    elif change == 1:
        entries.insert(other, one)
    elif change == 2:
        entries.append(one._replace(data=two.data))
    elif change == 3:
        del entries[at]
    elif change == 4:
        entries[at], entries[other] = one._replace(data=two.data), two._replace(data=one.data)
    elif change == 5:
        entries[at], entries[other] = two, one
    else:
        entries[at] = _entry_changed(chance, one, two)
    return entries


def _entry_changed(chance: random.Random, one: Entry, two: Entry) -> Entry:
    """Return an entry with another value in one of its fields."""
    name = chance.choice(_HOSTILE).encode()
    large = struct.pack("<2H3Q", 1, 24, *(chance.choice([0, 9, 2**40]) for _ in range(3)))
    extra = chance.choice([large, b"\x01", struct.pack("<2H", 1, 999), bytes(60_000)])
    sizes = [0, 1, max(len(one.data) - 1, 0), len(one.data) + 1, 2**31, 2**32 - 1]
    other = [b"", one.data[:-1], one.data + b"\0", one.data * 2, bytes(300_000)]
    return chance.choice(
        [
            one._replace(name=name),
            one._replace(listed=chance.choice([name, two.name])),
            one._replace(data=_bytes_changed(chance, one.data or b"x")),
            one._replace(data=_bytes_changed(chance, one.data or b"x"), crc=zlib.crc32(one.data)),
            one._replace(method=chance.choice([1, 8, 8, 12, 14, 93, 99])),
            one._replace(flags=chance.choice([_ENCRYPTED, _DESCRIPTOR, _UTF8, 0xFFFF])),
            one._replace(size=chance.choice(sizes)),
            one._replace(extra=extra),
            one._replace(local_extra=extra),
            one._replace(comment=extra),
            one._replace(offset=chance.choice([0, 1, 30, 2**31, 2**32 - 1])),
            one._replace(unlisted=True),
            one._replace(data=chance.choice(other)),
        ]
    )


def _around(chance: random.Random) -> Archive:
    """Return other records around the entries."""
    sizes = [0, 1, 22, 46, 2**31, 2**32 - 1]
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 9, 9, 400, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, chance.choice([0, 400, 2**40]), 1)
    return chance.choice(
        [
            Archive(before=chance.choice([b"prefix", b"PK\3\4", b"MZ", bytes(1000)])),
            Archive(after=chance.choice([b"\0", b"trailing", _END.pack(b"PK\5\6", *[0] * 7)])),
            Archive(middle=chance.choice([large + locator, locator, b"x" * 20, bytes(9)])),
            Archive(entries=chance.choice([0, 1, 2, 9, 5000, 5001, 65_535])),
            Archive(directory_size=chance.choice(sizes)),
            Archive(directory_at=chance.choice(sizes)),
            Archive(disk=1),
        ]
    )


def _bytes_changed(chance: random.Random, data: bytes) -> bytes:
    """Return data with a few bytes changed, inserted or removed; often near the end."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        start = 0 if chance.random() < 0.5 else max(len(changed) - 900, 0)
        at = chance.randrange(start, len(changed)) if len(changed) > start else 0
        change = chance.randrange(4)
        if change <= 1 and changed:
            changed[at] ^= 1 << chance.randrange(8)
        elif change == 2:
            changed[at:at] = chance.randbytes(chance.choice([1, 4]))
        else:
            del changed[at : at + chance.choice([1, 2, 500])]
    return bytes(changed)
