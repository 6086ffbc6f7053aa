"""The append-only journal of a run: the authoritative record of what has been done.

One JSON array per line. A line is valid once its line end is written, so a process that is killed
while it writes leaves at most one line, which is ignored. ``flush`` hands lines to the operating
system (before a step's action starts and when it has finished), which survives a kill. A power loss
can cost what was written in the second before it (``syncing``).
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from awstoe import limits
from awstoe.errors import HostError, RecordError
from awstoe.host.files.own_files import explain, write_all
from awstoe.host.files.own_folder import OwnFolder
from awstoe.state.syncing import Sync, Syncer

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Journal:
    """Appends entries to one file.

    Args:
        folder: The folder of the state.
        name: The file in it; created if missing. An incomplete last line is cut off first.
        base: Syncs what must be on the disk before the first ``flush`` returns.
        related: Syncs what should be there soon after it.
    """

    def __init__(
        self, folder: OwnFolder, name: str, base: Sequence[Sync] = (), related: Sequence[Sync] = ()
    ) -> None:
        self._name = name
        self._path = folder.file(name)
        self._descriptor = folder.open_append(name)
        self._pending: list[str] = []
        self._has_base = False
        self._size = _cut_torn_line(self._descriptor)
        self._syncer = Syncer(self._descriptor, base, related)

    def append(self, entry: Sequence[object]) -> None:
        """Add ``entry``, which the next ``flush`` hands to the operating system."""
        self._pending.append(_encode(entry))

    def flush(self) -> None:
        """Hand all entries to the operating system; they are on the disk about a second later.

        Raises:
            RecordError: They cannot be written, or the disk reported an error.
        """
        try:
            if self._pending:
                self._pending.append("")
                data = "\n".join(self._pending).encode()
                self._pending.clear()
                write_all(self._descriptor, data)
                self._size += len(data)
                self._syncer.written()
            if not self._has_base:
                self._syncer.wait_for_first()
                self._has_base = True
        except OSError as error:
            self._size = os.fstat(self._descriptor).st_size  # a part may have been written
            raise _lost(error, self._path) from error

    def sync(self) -> None:
        """Sync what was written to the disk, and wait until that is done.

        Raises:
            RecordError: The disk reported an error.
        """
        try:
            self._syncer.sync()
        except OSError as error:
            raise _lost(error, self._path) from error

    def is_in(self, folder: OwnFolder) -> bool:
        """Whether the file still has its name in ``folder``."""
        return folder.has_open(self._name, self._descriptor)

    def is_whole(self) -> bool:
        """Whether the file has exactly what was written: a step may have truncated it."""
        return os.fstat(self._descriptor).st_size == self._size

    def move_to(self, folder: OwnFolder) -> None:
        """Write everything into a new file in ``folder``, and continue in that one.

        Raises:
            HostError: It cannot be written.
        """
        folder.take_over(self._name, self._descriptor)
        self._path = folder.file(self._name)
        with suppress(OSError):  # the next sync of the journal reports a disk that fails
            folder.sync()
            self._syncer.written()

    def close(self) -> None:
        """Close the file. What was not flushed is lost on purpose."""
        self._syncer.close()
        os.close(self._descriptor)


def _lost(error: OSError, path: str) -> RecordError:
    reason = explain(error, f"write the run's state to {path}")
    return RecordError(reason.message, hint=reason.hint)


def _cut_torn_line(descriptor: int) -> int:
    """Cut off an incomplete last line. Return the size of the rest."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    end = size
    while end:
        step = min(end, 64 * limits.KIB)
        os.lseek(descriptor, end - step, os.SEEK_SET)
        block = os.read(descriptor, step)
        found = block.rfind(b"\n")
        if found >= 0:
            end = end - step + found + 1
            break
        end -= step
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def read(path: str) -> Iterator[list[object]]:
    """Return the entries of the journal at ``path``, without an incomplete last line.

    Raises:
        HostError: It cannot be read, belongs to another user, or a line is damaged.
    """
    folder, name = os.path.split(path)
    try:
        opened = OwnFolder.open(folder)
        try:
            descriptor = opened.open_read(name)
        finally:
            opened.close()
        with open(descriptor, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                yield _entry(line, f"{path}:{number}")
    except OSError as error:
        raise explain(error, f"read {path}") from error


def _entry(line: bytes, place: str) -> list[object]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, list) or not entry:
        raise HostError(
            f"{place}: this line of the run's journal is damaged",
            hint="start a new run without --resume",
        )
    return entry
