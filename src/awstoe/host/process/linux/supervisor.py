"""Linux: attends one child from its start to the end of its process tree.

One thread, one ``poll`` over both output pipes, a descriptor for the child's end and the one that a
signal makes readable. Where a descriptor for the child cannot be had (Linux before 5.3), its end is
asked for in growing intervals, at once when its output is at its end.
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
from awstoe.host.process.linux import process_table as tree
from awstoe.host.process.linux import spawn as starting
from awstoe.host.process.linux import terminate as ending
from awstoe.host.process.supervisor import Sink

assert sys.platform == "linux"

_FIRST_ASK: Final = 0.0005
_LONGEST_ASK: Final = 0.05


def prepare() -> None:
    """Make this process fit for having children; cheap enough to call once a run.

    A parent that ignores SIGCHLD hands this on to us, and the kernel then keeps no exit status.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    tree.adopt_orphans()


class ChildSupervisor(supervisor.ChildSupervisor[int]):
    """Attends a child by one ``poll``.

    Args:
        started: The process, just started in a session of its own.
        sinks: Its pipes' reading ends, and who gets the data. They are closed by ``close``.
        deadline: The ``time.monotonic`` at which its time is over, or None.
        interruption: Says when to stop.
    """

    def __init__(
        self,
        started: starting.Spawned,
        sinks: dict[int, Sink],
        deadline: float | None,
        interruption: Interruption,
    ) -> None:
        super().__init__(sinks, deadline, interruption)
        self._child = started.child
        self._since = started.since
        self._ask = _FIRST_ASK
        self._reap_at = time.monotonic() + limits.REAP_SECONDS
        self._poller = select.poll()
        for descriptor in sinks:
            self._poller.register(descriptor, select.POLLIN)
        if interruption.fileno() != -1:
            self._poller.register(interruption.fileno(), select.POLLIN)
        self._child_end = -1
        with contextlib.suppress(AttributeError, OSError):
            self._child_end = os.pidfd_open(started.pid)
            self._poller.register(self._child_end, select.POLLIN)
        tree.started(started.pid)

    def finish(self) -> None:
        """See ``attendance.ChildSupervisor``."""
        tree.disown(self._child.pid)

    def end_tree(self) -> list[str]:
        """See ``attendance.ChildSupervisor``."""
        pid = self._child.pid
        left: list[tree.Process] = []
        if self.exit_code is None or tree.has_children():
            left = ending.end(
                lambda: tree.step_processes(pid, self._since),
                self._pause,
                lambda: self._interruption.hard,
                lambda: tree.own_children(pid, self._since),
            )
        if self.exit_code is None and not left:
            self._insist()
        self._read_rest()
        return supervisor.describe(left)

    def close(self) -> None:
        """See ``attendance.ChildSupervisor``."""
        for descriptor in self._sinks:
            os.close(descriptor)
        self._sinks = {}
        if self._child_end != -1:
            os.close(self._child_end)
            self._child_end = -1

    def _housekeeping(self, now: float) -> float:
        if now >= self._reap_at:
            tree.reap(self._child.pid)
            self._reap_at = now + limits.REAP_SECONDS
        return self._reap_at - now

    def _poll(self, seconds: float) -> None:
        if self._child_end == -1 and self.exit_code is None:
            seconds = min(seconds, self._ask)
            self._ask = min(self._ask * 2, _LONGEST_ASK)
        for descriptor, _ in self._poller.poll(max(0, int(seconds * 1000) + 1)):
            if descriptor in self._sinks:
                if not self._read(descriptor):
                    # The end of the output mostly is the end of the child.
                    self._ask = _FIRST_ASK
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
        self.exit_code = 128 - status if status < 0 else status
        if self._child_end != -1:
            self._poller.unregister(self._child_end)
            os.close(self._child_end)
            self._child_end = -1

    def _read(self, descriptor: int) -> bool:
        """Hand one chunk to its sink; False at the end of the pipe, which is closed then."""
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

    def _insist(self) -> None:
        """End the child itself when the process table did not show it, or has not yet."""
        self._note_exit()
        over = time.monotonic() + limits.KILL_SECONDS
        while self.exit_code is None and time.monotonic() < over:
            with contextlib.suppress(OSError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._pause(_LONGEST_ASK)
            self._note_exit()
