"""Syncs a growing file to the disk in a thread, so that the run does not wait for the disk."""

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

from awstoe import limits

Sync: TypeAlias = Callable[[], None]
"""Syncs a file or a folder."""


class Syncer:
    """Syncs what is written to a file, soon after it was written.

    The thread sleeps while nothing is written, and syncs once for all that is written meanwhile.

    Args:
        descriptor: The file.
        first: What to sync first: ``wait_for_first`` waits for it.
        second: What to sync right after it, if possible.
    """

    __slots__ = (
        "_closed",
        "_descriptor",
        "_dirty",
        "_error",
        "_first",
        "_first_done",
        "_second",
        "_thread",
        "_woken",
    )

    def __init__(self, descriptor: int, first: Sequence[Sync], second: Sequence[Sync]) -> None:
        self._descriptor = descriptor
        self._first = first
        self._second = second
        self._error: Exception | None = None
        self._dirty = False
        self._first_done = threading.Event()
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sync", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """Note that the file has grown.

        Raises:
            OSError: The disk reported an error for what was written earlier.
        """
        if not self._dirty:
            self._dirty = True
            self._woken.set()
        self._raise_error()

    def wait_for_first(self) -> None:
        """Wait until the files and folders that came first are on the disk.

        Raises:
            OSError: The disk reported an error.
        """
        self._first_done.wait()
        self._raise_error()

    def sync(self) -> None:
        """Sync the file now.

        Raises:
            OSError: The disk reported an error.
        """
        self.wait_for_first()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()
        self._woken.set()
        self._thread.join()

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _sync_second(self) -> None:
        for sync in self._second:
            if self._closed.is_set():
                return
            with contextlib.suppress(OSError):  # a step may have removed it
                sync()

    def _work(self) -> None:
        try:
            for sync in self._first:
                sync()
            self._first_done.set()
            self._sync_second()
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits for it
            self._error = error
            self._first_done.set()
        while self._woken.wait() and not self._closed.wait(limits.JOURNAL_SYNC_SECONDS):
            self._woken.clear()
            self._dirty = False  # before the sync: what is written during it needs another one
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._error = error
