"""Linux: reaps orphans as soon as they end, as an init does.

As a child subreaper, this process becomes the parent of the orphans below it. Until it reaps an
orphan that has ended, ``kill -0``, ``pgrep`` and ``start-stop-daemon --stop`` find it, and it
occupies a process ID. A thread sleeps until a child ends. The main thread could not do that in
time: it may be waiting for a disk that is busy with the output of a step.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Final

from awstoe.host.process.linux import process_table

assert sys.platform == "linux"

_RETRY_SECONDS: Final = 0.02


class _Reaper:
    """The thread, which starts when it is needed first.

    It spares the process's own child: its supervisor reaps it, and needs its exit status.
    """

    __slots__ = ("_changed", "_child", "_lock", "_thread", "active")

    def __init__(self) -> None:
        self.active = False
        self._child = 0
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None

    def activate(self) -> None:
        """Reap from now on."""
        self.active = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="reaper", daemon=True)
            self._thread.start()
        self._changed.set()

    def deactivate(self) -> None:
        """Reap nothing from now on."""
        with self._lock:
            self.active = False

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Reap nothing while a child is started: it may end before its process ID is known."""
        with self._lock:
            yield

    def spare(self, child: int) -> None:
        """Spare this process ID from now on; 0 for none."""
        self._child = child
        self._changed.set()

    def _work(self) -> None:
        pause: float | None = None
        while True:
            self._changed.wait(pause)
            self._changed.clear()
            pause = None
            while self.active and process_table.wait_for_end():
                pause = self._reap_next()
                if pause != 0:
                    break

    def _reap_next(self) -> float | None:
        """Return when to continue: after this many seconds, or (None) after a change."""
        with self._lock:
            if not self.active or process_table.ended_child() == self._child:
                return None
            return 0 if process_table.reap_next(self._child) else _RETRY_SECONDS


_reaper: Final = _Reaper()

starting = _reaper.starting


@contextlib.contextmanager
def reaping_orphans() -> Iterator[None]:
    """Reap orphans at once during the block; blocks may be nested."""
    if _reaper.active:
        yield
        return
    _reaper.activate()
    try:
        yield
    finally:
        _reaper.deactivate()


def started(child: int) -> None:
    """Spare the child that was started."""
    _reaper.spare(child)


def ended() -> None:
    """Note that the child has been reaped by its supervisor."""
    _reaper.spare(0)
