"""The append-only journal of a run: the authoritative record of what has been done.

One JSON array per line. A line is valid once its line end is written, so a process that is killed
while it writes leaves at most one line, which is ignored. ``flush`` hands lines to the operating
system (before a step's action starts and when it has finished), which survives a kill. A power loss
can cost what was written in the second before it (``syncing``).
"""

import json
import os
from collections.abc import Iterator, Sequence
from functools import partial

from awstoe import limits
from awstoe.errors import HostError, RecordError
from awstoe.host.files.own_files import explain, open_append, sync_path, write_all
from awstoe.state.syncing import Syncer

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Journal:
    """Appends entries to one file.

    Args:
        path: The file; created if missing. An incomplete last line is cut off first.
        base: Files and folders that must be on the disk before the first ``flush`` returns.
        related: Files and folders to sync soon after them.
    """

    def __init__(self, path: str, base: Sequence[str] = (), related: Sequence[str] = ()) -> None:
        self._path = path
        self._descriptor = open_append(path)
        self._pending: list[str] = []
        self._has_base = False
        _cut_torn_line(path)
        self._syncer = Syncer(
            self._descriptor,
            [partial(sync_path, path) for path in dict.fromkeys(base)],
            [partial(sync_path, path) for path in dict.fromkeys(related)],
        )

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
                self._syncer.written()
            if not self._has_base:
                self._syncer.wait_for_first()
                self._has_base = True
        except OSError as error:
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

    def close(self) -> None:
        """Close the file. What was not flushed is lost on purpose."""
        self._syncer.close()
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
