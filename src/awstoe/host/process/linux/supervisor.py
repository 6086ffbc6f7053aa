"""Linux: supervises one child until its process tree has ended.

One thread polls both output pipes, a descriptor for the child's end and the one that a signal makes
readable. Where the child has no descriptor (Linux before 5.3), its end is checked in growing
intervals, and at once when its output ends.
"""

import contextlib
import os
import select
import signal
import sys
import time
from typing import Final

from awstoe import limits
from awstoe.host.process import supervisor
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.linux import memory_kills, process_table, reaper, spawn, terminate
from awstoe.host.process.supervisor import Sink

assert sys.platform == "linux"

_FIRST_CHECK: Final = 0.0005
_LONGEST_CHECK: Final = 0.05


class _Memory:
    """What was counted when this process was prepared."""

    __slots__ = ("kills",)

    def __init__(self) -> None:
        self.kills: memory_kills.MemoryKills | None = None


_memory: Final = _Memory()


def prepare() -> None:
    """Prepare this process for child processes.

    If our parent ignores SIGCHLD, we inherit that, and the kernel keeps no exit status.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process_table.adopt_orphans()
    _memory.kills = memory_kills.MemoryKills()


def out_of_memory() -> bool | None:
    """Whether the kernel has ended processes for lack of memory since ``prepare``."""
    return _memory.kills.any() if _memory.kills is not None else None


reaping_orphans = reaper.reaping_orphans


class ChildSupervisor(supervisor.ChildSupervisor[int]):
    """Supervises a child with one ``poll``.

    Args:
        started: The process, started in a session of its own.
        sinks: The reading ends of its pipes, each with its sink. ``close`` closes them.
        deadline: The ``time.monotonic`` at which it times out, or None.
        interruption: When to stop.
    """

    def __init__(
        self,
        started: spawn.Spawned,
        sinks: dict[int, Sink],
        deadline: float | None,
        interruption: Interruption,
    ) -> None:
        super().__init__(sinks, deadline, interruption)
        self._child = started.child
        self._since = started.since
        self._check_in = _FIRST_CHECK
        self._poller = select.poll()
        for descriptor in sinks:
            self._poller.register(descriptor, select.POLLIN)
        if interruption.fileno() != -1:
            self._poller.register(interruption.fileno(), select.POLLIN)
        self._child_end = -1
        with contextlib.suppress(AttributeError, OSError):
            self._child_end = os.pidfd_open(started.pid)
            self._poller.register(self._child_end, select.POLLIN)
        process_table.started(started.pid)

    def finish(self) -> None:
        process_table.disown(self._child.pid)

    def end_tree(self) -> list[str]:
        pid = self._child.pid
        left: list[process_table.Process] = []
        if self.exit_code is None or process_table.has_children():
            left = terminate.end(
                lambda: process_table.step_processes(pid, self._since),
                self._keep_reading,
                lambda: self._interruption.hard,
                lambda: process_table.own_children(pid, self._since),
            )
        if self.exit_code is None and not left:
            self._kill_child()
        self._read_rest()
        return supervisor.describe(left)

    def close(self) -> None:
        for descriptor in self._sinks:
            os.close(descriptor)
        self._sinks = {}
        if self._child_end != -1:
            os.close(self._child_end)
            self._child_end = -1

    def _poll(self, seconds: float) -> None:
        if self._child_end == -1 and self.exit_code is None:
            seconds = min(seconds, self._check_in)
            self._check_in = min(self._check_in * 2, _LONGEST_CHECK)
        for descriptor, _ in self._poller.poll(max(0, int(seconds * 1000) + 1)):
            if descriptor in self._sinks:
                if not self._read(descriptor):
                    # The child usually ends with its output.
                    self._check_in = _FIRST_CHECK
            elif descriptor == self._child_end:
                self._note_exit()
            else:
                self._interruption.clear()
        if self._child_end == -1 and self.exit_code is None:
            self._note_exit()

    def _note_exit(self) -> None:
        status = self._child.poll()
        if status is None:
            return
        self.by_signal = status < 0
        self.exit_code = 128 - status if status < 0 else status
        reaper.ended()
        if self._child_end != -1:
            self._poller.unregister(self._child_end)
            os.close(self._child_end)
            self._child_end = -1

    def _read(self, descriptor: int) -> bool:
        """Pass one chunk to its sink; at the end of the pipe, close it and return False."""
        try:
            data = os.read(descriptor, limits.READ_CHUNK_BYTES)
        except BlockingIOError:
            return True
        if data:
            self._sinks[descriptor](data)
            return True
        self._poller.unregister(descriptor)
        os.close(descriptor)
        del self._sinks[descriptor]
        return False

    def _kill_child(self) -> None:
        """Kill the child itself if the process table does not show it."""
        self._note_exit()
        over = time.monotonic() + limits.KILL_SECONDS
        while self.exit_code is None and time.monotonic() < over:
            with contextlib.suppress(OSError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._keep_reading(_LONGEST_CHECK)
            self._note_exit()
