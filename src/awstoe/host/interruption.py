"""Signals that ask the run to stop, turned into a flag, a wake-up and an exception.

A signal handler may run between any two byte codes, so it only notes the signal. Code that can stop
calls ``check``; a loop that waits for events adds ``fileno`` to what it polls and calls ``clear``
when that is readable. Delivery is idempotent: a terminal and a supervisor often hand on the same
Ctrl-C, and a boot loader forwards it once more; only a SIGINT that comes
``limits.HARD_STOP_SECONDS`` after the first signal means "now". A signal that was ignored when the
program started (``nohup``, a shell's background job) stays ignored.
"""

import contextlib
import os
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import Final, Self

from awstoe import limits
from awstoe.errors import Interrupted

_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)


class Interruption:
    """Whether a signal has asked the run to stop; a context manager that installs the handlers.

    An instance that was never entered is one that is never interrupted. Only the main thread can
    enter it, as the handlers belong to the process.
    """

    __slots__ = ("_before", "_first_at", "_hard", "_read", "_signal", "_wakeup_before", "_write")

    def __init__(self) -> None:
        self._signal = 0
        self._first_at = 0.0
        self._hard = False
        self._before: list[tuple[int, object]] = []
        self._read = self._write = self._wakeup_before = -1

    @property
    def signal_number(self) -> int | None:
        """The first signal received, or None."""
        return self._signal or None

    @property
    def hard(self) -> bool:
        """Whether a later Ctrl-C asks to stop without any grace."""
        return self._hard

    def fileno(self) -> int:
        """A descriptor that becomes readable when a signal comes; -1 outside the context."""
        return self._read

    def check(self) -> None:
        """Do nothing, unless a signal has been received.

        Raises:
            Interrupted: A signal asks the run to stop.
        """
        if self._signal:
            raise Interrupted(self._signal)

    def clear(self) -> None:
        """Empty the descriptor, so that only a further signal makes it readable again."""
        with contextlib.suppress(OSError):
            while len(os.read(self._read, 4096)) == 4096:  # noqa: PLR2004 - the read's own size
                pass

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe()
        if sys.platform != "win32":
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)
            # Broken pipes of our own output are errors we report; children get the default back.
            self._install(signal.SIGPIPE, signal.SIG_IGN)
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._install(number, self._received)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._before:
            number, handler = self._before.pop()
            # None: a handler that was not installed from Python cannot be put back by it.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read)
        os.close(self._write)
        self._read = self._write = -1

    def _install(self, number: int, handler: object) -> None:
        self._before.append((number, signal.signal(number, handler)))  # type: ignore[arg-type]

    def _received(self, number: int, frame: FrameType | None) -> None:
        del frame
        now = time.monotonic()
        if not self._signal:
            self._signal = number
            self._first_at = now
        elif number == signal.SIGINT and now - self._first_at >= limits.HARD_STOP_SECONDS:
            self._hard = True
