"""Linux: reaps orphans as soon as they end, as an init does.

As a child subreaper, this process becomes the parent of the orphans below it. Until it reaps an
orphan that has ended, ``kill -0``, ``pgrep`` and ``start-stop-daemon --stop`` find it, and it
occupies a process ID. The kernel announces each end with SIGCHLD, whose handler Python runs in the
main thread: while it waits for a step, reads its output, or does something else. So nothing polls.
"""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Final

from awstoe.host.process.linux import process_table

assert sys.platform == "linux"

_UNKNOWN: Final = -1
_AT_ONCE: Final = 500
"""Orphans reaped without a break: processes that end all the time must not keep the main thread
from checking deadlines and signals."""


class _Reaper:
    """The handler of SIGCHLD.

    The process's own child is spared: its supervisor reaps it, and needs its exit status.
    """

    __slots__ = ("_child", "_more", "_pending", "_reaping", "installed")

    def __init__(self) -> None:
        self.installed = False
        self._child = 0
        self._more = False
        self._pending = False
        self._reaping = False

    def spare(self, child: int) -> None:
        """Spare this process ID from now on: 0 for none, ``_UNKNOWN`` while a child is started."""
        self._child = child
        self.reap()

    def catch_up(self) -> bool:
        """Reap more if the handler stopped early. Return whether there may be even more."""
        if self._more:
            self.reap()
        return self._more

    def reap(self) -> None:
        """Reap what has ended.

        A signal may interrupt this method anywhere and call it again. Then the outer call does the
        work, so that many signals do not nest deeply.
        """
        self._pending = True
        while self._pending and not self._reaping and self._child != _UNKNOWN:
            self._reaping = True
            self._pending = False
            try:
                self._more = process_table.reap_some(self._child, _AT_ONCE)
            finally:
                self._reaping = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGCHLD."""
        del number, frame
        self.reap()


_reaper: Final = _Reaper()

catch_up = _reaper.catch_up


@contextlib.contextmanager
def reaping_orphans() -> Iterator[None]:
    """Reap orphans at once during the block; blocks may be nested. In the main thread only."""
    if _reaper.installed:
        yield
        return
    before = signal.signal(signal.SIGCHLD, _reaper.handle)
    # Calls of C libraries continue after the signal. Waiting for events and sleeping do not: the
    # kernel ends these in any case, and Python starts them again after the handler.
    signal.siginterrupt(signal.SIGCHLD, False)  # noqa: FBT003 - C's
    _reaper.installed = True
    try:
        _reaper.reap()
        yield
    finally:
        _reaper.installed = False
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if before is None else before)


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Reap nothing while a child is started: it may end before its process ID is known."""
    _reaper.spare(_UNKNOWN)
    try:
        yield
    except BaseException:
        _reaper.spare(0)
        raise


def started(child: int) -> None:
    """Spare the child that was started."""
    _reaper.spare(child)


def ended() -> None:
    """Note that the child has been reaped by its supervisor."""
    _reaper.spare(0)
