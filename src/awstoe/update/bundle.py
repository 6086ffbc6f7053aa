"""A bundle: part of a repository in one file, for machines without a network.

It is an uncompressed ZIP archive with the same paths as in a region: ``metadata/`` and the programs
with their signatures. It is trusted as little as a region: its metadata must verify.
"""

import os
import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final, Self

from awstoe import contact, limits
from awstoe.errors import UsageError
from awstoe.host.files import plain_files
from awstoe.update.errors import Untrusted
from awstoe.update.repository import NotFound, Piece, TooLarge

_CHUNK_BYTES: Final = 1024 * 1024
_NAME: Final = re.compile(r"[0-9A-Za-z_+-][0-9A-Za-z._+-]*(?:/[0-9A-Za-z_+-][0-9A-Za-z._+-]*)*")
_END: Final = struct.Struct("<4s4H2LH")
"""The record at the end of an archive: APPNOTE.TXT of PKWARE, 4.3.16."""
_END_MARK: Final = b"PK\x05\x06"
_LARGE_BYTES: Final = 20
_LARGE_MARK: Final = b"PK\x06\x07"
"""Of the record before it in large archives (ZIP64), 4.3.15. It makes readers use another record
instead, with other numbers. A bundle never needs one."""

_INCOMPLETE: Final = "make the bundle again"

_DAMAGED: Final = (
    *(zipfile.BadZipFile, ValueError, EOFError, OverflowError),
    *(struct.error, RuntimeError),  # includes NotImplementedError
)
"""What the standard library raises for damaged archives."""


class Bundle:
    """An open bundle: a ``repository.Repository`` and a context manager.

    Args:
        path: The file.

    Raises:
        UsageError: It cannot be read.
        Untrusted: It is not a bundle.
    """

    def __init__(self, path: str) -> None:
        self.name = os.path.basename(path)
        self.missing_hint = _INCOMPLETE
        self.changed_hint = (
            "if a new copy of the bundle is the same, this may be an attack on updates:"
            f" {contact.report_attack()}"
        )
        try:
            self._file = plain_files.open_file(path)
        except OSError as error:
            raise UsageError(f"the bundle {path}: {error.strerror}") from error
        try:
            _check_directory(self._file)
            self._archive = zipfile.ZipFile(self._file)
            self._entries = _entries(self._archive.infolist())
        except OSError as error:
            self._file.close()
            raise UsageError(f"the bundle {path}: {error.strerror}") from error
        except _DAMAGED as error:
            self._file.close()
            raise Untrusted(
                f"{path} is not a bundle of releases: {error}",
                hint="check that it was copied completely",
            ) from error

    def has(self, path: str) -> bool:
        return path in self._entries

    def read(self, path: str, limit: int) -> bytes:
        return b"".join(self._chunks(self._entry(path, limit)))

    @contextmanager
    def open(self, path: str, *, offset: int, length: int) -> Iterator[Piece]:
        del offset  # reading from the start again is fast
        entry = self._entry(path, length)
        if entry.file_size < length:  # the rest will not come, as it may over a network
            raise Untrusted(
                f"{self.name}: {path} is incomplete: expected {length} bytes, got"
                f" {entry.file_size}",
                hint=_INCOMPLETE,
            )
        yield Piece(0, self._chunks(entry))

    def _entry(self, path: str, limit: int) -> zipfile.ZipInfo:
        entry = self._entries.get(path)
        if entry is None:
            raise NotFound(f"{path} is not in the bundle")
        if entry.file_size > limit:
            raise TooLarge(f"{path}: expected at most {limit} bytes, got {entry.file_size}")
        return entry

    def _chunks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._archive.open(entry) as stream:
                while data := stream.read(_CHUNK_BYTES):
                    yield data
        except (OSError, *_DAMAGED) as error:
            raise Untrusted(
                f"{self.name}: {entry.filename} is damaged: {error}",
                hint="copy the bundle again",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._archive.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_directory(file: BinaryIO) -> None:
    """Reject an archive whose directory would fill the memory, or is followed by other data.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is such an archive, or not an archive.
    """
    size = file.seek(0, os.SEEK_END)
    if size < _END.size:
        raise ValueError(f"it has {size} bytes")
    file.seek(max(size - _END.size - _LARGE_BYTES, 0))
    last = file.read()
    found = _END.unpack(last[-_END.size :])
    mark, disk, start_disk, here, entries, directory, offset, comment = found
    if mark != _END_MARK or comment:
        raise ValueError("expected a ZIP archive that ends with its directory")
    if last.startswith(_LARGE_MARK):
        raise ValueError("it is a ZIP64 archive")
    if disk or start_disk or here != entries or offset + directory + _END.size != size:
        raise ValueError("its directory does not fit the file")
    if entries > limits.BUNDLE_ENTRIES or directory > limits.BUNDLE_ENTRIES * limits.KIB:
        raise ValueError(f"it has {entries} entries; the limit is {limits.BUNDLE_ENTRIES}")


def _entries(listed: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the entries by their paths.

    Raises:
        ValueError: An entry is not one that a bundle has.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in listed:
        _check_entry(entry)
        if entry.filename in found:
            raise ValueError(f"{entry.filename!r} is in it twice")
        found[entry.filename] = entry
    return found


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if not _NAME.fullmatch(entry.filename):
        raise ValueError(f"{entry.filename!r} is not a path in a repository")
    if entry.orig_filename != entry.filename:
        raise ValueError(f"{entry.orig_filename!r} is not a path in a repository")
    if entry.extra or entry.comment:  # extra fields could contain other sizes
        raise ValueError(f"{entry.filename!r} has an extra field or a comment")
    stored = entry.compress_type == zipfile.ZIP_STORED and entry.compress_size == entry.file_size
    if not stored or entry.flag_bits & 1:
        raise ValueError(f"{entry.filename!r} is compressed or encrypted")
