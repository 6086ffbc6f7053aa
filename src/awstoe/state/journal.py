"""The append-only journal of a run: the authoritative record of what has been done.

One JSON array per line. A line is valid once its line end is written, so a process that is killed
while it writes leaves at most one line, which is ignored. ``flush`` hands lines to the operating
system (before a step's action starts and when it has finished), which survives a kill. The disk is
synced in the background at the end of a phase, and otherwise at most once a second: a power loss
can cost what was written since.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from awstoe import limits
from awstoe.errors import HostError, RecordError
from awstoe.host.files.own_files import explain, write_all
from awstoe.host.files.own_folder import OwnFolder

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Journal:
    """Appends entries to one file.

    Args:
        folder: The folder of the state.
        name: The file in it; created if missing. An incomplete last line is cut off first.
        related: What else to sync with the first sync of the journal.
    """

    def __init__(
        self, folder: OwnFolder, name: str, related: Sequence[Callable[[], None]] = ()
    ) -> None:
        self._related = list(related)
        self._name = name
        self._path = folder.file(name)
        self._descriptor = folder.open_append(name)
        self._pending: list[str] = []
        self._synced_at = time.monotonic()
        self._dirty = False
        self._syncing: threading.Thread | None = None
        self._sync_error: OSError | None = None
        _cut_torn_line(self._descriptor)

    def append(self, entry: Sequence[object]) -> None:
        """Add ``entry``, which the next ``flush`` hands to the operating system."""
        self._pending.append(_encode(entry))

    def flush(self) -> None:
        """Hand all entries to the operating system, and start a sync about once a second.

        Raises:
            RecordError: They cannot be written.
        """
        if self._pending:
            self._pending.append("")
            data = "\n".join(self._pending).encode()
            self._pending.clear()
            try:
                write_all(self._descriptor, data)
            except OSError as error:
                raise _lost(error, self._path) from error
            self._dirty = True
        if time.monotonic() - self._synced_at >= limits.JOURNAL_SYNC_SECONDS:
            self.sync_soon()

    def sync_soon(self) -> None:
        """Start to sync what was written to the disk, while the run continues.

        Raises:
            RecordError: The sync before this one failed.
        """
        if not self._dirty:
            return
        self._wait()
        self._dirty = False
        self._synced_at = time.monotonic()
        self._syncing = threading.Thread(target=self._sync_disk, daemon=True)
        self._syncing.start()

    def sync(self) -> None:
        """Sync what was written to the disk, and wait until that is done.

        Raises:
            RecordError: The disk reported an error.
        """
        self.sync_soon()
        self._wait()

    def _wait(self) -> None:
        if self._syncing is not None:
            self._syncing.join()
            self._syncing = None
        if self._sync_error is not None:
            error, self._sync_error = self._sync_error, None
            raise _lost(error, self._path) from error

    def _sync_disk(self) -> None:
        try:
            while self._related:
                self._related.pop()()
            os.fsync(self._descriptor)
        except OSError as error:
            self._sync_error = error

    def is_in(self, folder: OwnFolder) -> bool:
        """Whether the file still has its name in ``folder``."""
        return folder.has_open(self._name, self._descriptor)

    def move_to(self, folder: OwnFolder) -> None:
        """Write everything into a new file in ``folder``, and continue in that one.

        Raises:
            HostError: It cannot be written.
        """
        folder.take_over(self._name, self._descriptor)
        self._path = folder.file(self._name)
        self._related.append(folder.sync)
        self._dirty = True

    def close(self) -> None:
        """Close the file. What was not flushed is lost on purpose."""
        os.close(self._descriptor)


def _lost(error: OSError, path: str) -> RecordError:
    reason = explain(error, f"write the run's state to {path}")
    return RecordError(reason.message, hint=reason.hint)


def _cut_torn_line(descriptor: int) -> None:
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
