"""Linux: attends one child from its start to the end of its process tree.

One thread, one ``poll`` over both output pipes, a descriptor for the child's end and the one that a
signal makes readable. The deadline and the signals are looked at between any two reads, so a child
that floods its output cannot put them off. Where a descriptor for the child cannot be had (Linux
before 5.3), its end is asked for in growing intervals, at once when its output is at its end.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Final, Protocol

from awstoe import limits
from awstoe.host import process_end_linux as ending
from awstoe.host import process_tree_linux as tree
from awstoe.host.interruption import Interruption
from awstoe.host.pipes_linux import Sink, discard

_FIRST_ASK: Final = 0.0005
_LONGEST_ASK: Final = 0.05


class Child(Protocol):
    """What is needed of ``subprocess.Popen``."""

    pid: int

    def poll(self) -> int | None:
        """The exit status, -N for signal N, or None while it runs."""


class Ended(Enum):
    """Why attending is over."""

    EXIT = auto()
    HELD_OPEN = auto()
    TIMEOUT = auto()
    SIGNAL = auto()


def prepare() -> None:
    """Make this process fit for having children; cheap enough to call once a run.

    A parent that ignores SIGCHLD hands this on to us, and the kernel then keeps no exit status.
    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    tree.adopt_orphans()


class Attendance:
    """One child, its output and all that it starts.

    Args:
        child: The process, just started in a session of its own.
        since: ``tree.now()`` before its start.
        sinks: Its pipes' reading ends, and who gets the data. They are closed by ``close``.
        deadline: The ``time.monotonic`` at which its time is over, or None.
        interruption: Says when to stop.
    """

    __slots__ = (
        "_ask",
        "_child",
        "_child_end",
        "_deadline",
        "_failure",
        "_interruption",
        "_poller",
        "_reap_at",
        "_since",
        "_sinks",
        "exit_code",
    )

    def __init__(
        self,
        child: Child,
        since: int,
        sinks: dict[int, Sink],
        deadline: float | None,
        interruption: Interruption,
    ) -> None:
        self.exit_code: int | None = None
        self._child = child
        self._since = since
        self._sinks = sinks
        self._deadline = deadline
        self._interruption = interruption
        self._failure: Exception | None = None
        self._ask = _FIRST_ASK
        self._reap_at = time.monotonic() + limits.REAP_SECONDS
        self._poller = select.poll()
        for descriptor in sinks:
            self._poller.register(descriptor, select.POLLIN)
        if interruption.fileno() != -1:
            self._poller.register(interruption.fileno(), select.POLLIN)
        self._child_end = -1
        with contextlib.suppress(AttributeError, OSError):
            self._child_end = os.pidfd_open(child.pid)
            self._poller.register(self._child_end, select.POLLIN)
        tree.started(child.pid)

    def wait(self) -> Ended:
        """Attend until the child and its output are at their end, or something comes between."""
        over = self._deadline
        while True:
            now = time.monotonic()
            if self.exit_code is None:
                if self._interruption.signal_number is not None:
                    return Ended.SIGNAL
                if over is not None and now >= over:
                    return Ended.TIMEOUT
            elif self.exit_code != 0 or not self._sinks:
                return Ended.EXIT
            elif (over is not None and now >= over) or self._interruption.signal_number is not None:
                return Ended.HELD_OPEN
            ended = self.exit_code is not None
            if now >= self._reap_at:
                tree.reap(self._child.pid)
                self._reap_at = now + limits.REAP_SECONDS
            self._turn(self._reap_at - now if over is None else min(self._reap_at, over) - now)
            if not ended and self.exit_code == 0:
                held = time.monotonic() + limits.PIPE_HELD_OPEN_SECONDS
                over = held if over is None else min(over, held)

    def finish(self) -> None:
        """After exit 0: what was left in the background lives on."""
        tree.spare(self._child.pid)

    def end_tree(self) -> list[tree.Process]:
        """End all that the child started, and itself; read what is left of the output.

        Returns:
            The processes that could not be ended.

        Raises:
            Exception: Whatever a sink raised meanwhile, after the tree was ended.
        """
        pid = self._child.pid
        left: list[tree.Process] = []
        if self.exit_code is None or tree.has_children():
            left = ending.end(
                lambda: tree.members(pid, self._since),
                self._pause,
                lambda: self._interruption.hard,
                lambda: tree.near(pid, self._since),
            )
        if self.exit_code is None and not left:
            self._insist()
        self._read_rest()
        return left

    def mute(self) -> None:
        """Discard all further output: whoever gets it has failed."""
        self._sinks = dict.fromkeys(self._sinks, discard)

    def take_pipes(self) -> list[int]:
        """Hand over the pipes that are still open; ``close`` no longer closes them.

        Raises:
            Exception: Whatever a sink raised for the last output.
        """
        self._read_rest()
        descriptors = list(self._sinks)
        self._sinks = {}
        return descriptors

    def close(self) -> None:
        """Close all descriptors; the processes are left as they are."""
        for descriptor in self._sinks:
            os.close(descriptor)
        self._sinks = {}
        if self._child_end != -1:
            os.close(self._child_end)
            self._child_end = -1

    def _turn(self, seconds: float) -> None:
        """Wait for something to happen, for so many seconds at most, and deal with it."""
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

    def _pause(self, seconds: float) -> None:
        """Read output for so long, or until the child ends; a sink's failure has to wait."""
        over = time.monotonic() + seconds
        running = self.exit_code is None
        while (left := over - time.monotonic()) > 0:
            self._guarded(partial(self._turn, left))
            if self._interruption.hard or (running and self.exit_code is not None):
                return

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - raised again when the tree has been ended
            self._failure = self._failure or error
            self.mute()

    def _read_rest(self) -> None:
        """Read what the pipes hold now: no more than that, as others may still be writing.

        Raises:
            Exception: What a sink raised, now or while the tree was being ended.
        """
        for descriptor in list(self._sinks):
            self._guarded(partial(self._read, descriptor))
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _insist(self) -> None:
        """End the child itself when the process table did not show it, or has not yet."""
        self._note_exit()
        over = time.monotonic() + limits.KILL_SECONDS
        while self.exit_code is None and time.monotonic() < over:
            with contextlib.suppress(OSError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._pause(_LONGEST_ASK)
            self._note_exit()
