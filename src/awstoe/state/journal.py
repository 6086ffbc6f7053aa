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
from collections.abc import Iterator, Sequence

from awstoe import limits
from awstoe.errors import HostError, RecordError
from awstoe.host.files.own_files import explain, open_append, sync_path, write_all

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Journal:
    """Appends entries to one file.

    Args:
        path: The file; created if missing. An incomplete last line is cut off first.
        related: Files and folders to sync with the first sync of the journal.
    """

    def __init__(self, path: str, related: Sequence[str] = ()) -> None:
        self._related = list(related)
        self._path = path
        self._descriptor = open_append(path)
        self._pending: list[str] = []
        self._synced_at = time.monotonic()
        self._dirty = False
        self._syncing: threading.Thread | None = None
        self._sync_error: OSError | None = None
        _cut_torn_line(path)

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
                sync_path(self._related.pop())
            os.fsync(self._descriptor)
        except OSError as error:
            self._sync_error = error

    def close(self) -> None:
        """Close the file. What was not flushed is lost on purpose."""
        os.close(self._descriptor)


def _lost(error: OSError, path: str) -> RecordError:
    reason = explain(error, f"write the run's state to {path}")
    return RecordError(reason.message, hint=reason.hint)


def _cut_torn_line(path: str) -> None:
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        end = size
        while end:
            step = min(end, 64 * limits.KIB)
            file.seek(end - step)
            block = file.read(step)
            found = block.rfind(b"\n")
            if found >= 0:
                end = end - step + found + 1
                break
            end -= step
        if end < size:
            file.truncate(end)


def read(path: str) -> Iterator[list[object]]:
    """Return the entries of the journal at ``path``, without an incomplete last line.

    Raises:
        HostError: It cannot be read, or a line is damaged.
    """
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = None
                if not isinstance(entry, list) or not entry:
                    raise HostError(
                        f"{path}:{number}: this line of the run's journal is damaged",
                        hint="start a new run without --resume",
                    )
                yield entry
    except OSError as error:
        raise explain(error, f"read {path}") from error
