"""Linux: receives the signals that ask a run to stop.

A signal that was ignored when the program started (``nohup``, a shell's background job) stays
ignored.
"""

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Final, Protocol

assert sys.platform == "linux"

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Receiver(Protocol):
    """Notes a signal."""

    def __call__(self, number: int) -> None: ...


class Source:
    """The installed handlers, and a descriptor that is readable after a signal.

    Args:
        received: Called in the main thread with the number of each signal.
    """

    __slots__ = ("_before", "_read", "_received", "_wakeup_before", "_write")

    def __init__(self, received: Receiver) -> None:
        self._received = received
        self._before: list[tuple[int, object]] = []
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        # We report broken pipes of our own output as errors; children get the default again.
        self._install(signal.SIGPIPE, signal.SIG_IGN)
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._install(number, self._handle)

    def fileno(self) -> int:
        """The descriptor."""
        return self._read

    def clear(self) -> None:
        """Empty the descriptor."""
        with contextlib.suppress(OSError):
            while len(os.read(self._read, 4096)) == 4096:  # noqa: PLR2004 - the read's own size
                pass

    def close(self) -> None:
        """Restore the previous handlers."""
        while self._before:
            number, handler = self._before.pop()
            # None: Python cannot restore a handler that was not installed from Python.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read)
        os.close(self._write)

    def _install(self, number: int, handler: object) -> None:
        self._before.append((number, signal.signal(number, handler)))  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._received(number)
