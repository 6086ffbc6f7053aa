"""Stops code in the main thread that has been running for too long."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

if sys.platform == "win32":
    # Windows has no alarm signal, and no Python thread can run while the regular expression matcher
    # does: it holds the interpreter's lock. But a timer of the system calls a C function in a
    # thread of its own, and ``PyErr_SetInterruptEx`` may be called from any thread. It makes the
    # interpreter see a signal, which the matcher checks for.
    import ctypes
    from ctypes import wintypes

    from awstoe.host import kernel32_windows as kernel32

    _SIGNAL: Final = signal.SIGTERM
    """Windows never sends this one itself."""
    _IN_TIMER_THREAD: Final = 0x20
    _ONLY_ONCE: Final = 0x8

    @contextmanager
    def alarm(seconds: float) -> Iterator[None]:
        """Limit the time of the block; in the main thread only.

        Raises:
            TimeoutError: It took longer.
        """
        running = True

        def too_long(number: int, frame: FrameType | None) -> None:
            del number, frame
            if running:
                raise TimeoutError

        # The timer passes one argument of pointer size to its function: here the signal.
        interrupt = ctypes.cast(ctypes.pythonapi.PyErr_SetInterruptEx, ctypes.c_void_p)
        timer = wintypes.HANDLE()
        previous = signal.signal(_SIGNAL, too_long)
        try:
            kernel32.api.CreateTimerQueueTimer(
                ctypes.byref(timer),
                None,
                interrupt,
                ctypes.c_void_p(int(_SIGNAL)),
                int(seconds * 1000),
                0,
                _IN_TIMER_THREAD | _ONLY_ONCE,
            )
            try:
                yield
            finally:
                running = False
                kernel32.delete_timer(timer)
        finally:
            signal.signal(_SIGNAL, previous)


else:

    @contextmanager
    def alarm(seconds: float) -> Iterator[None]:
        """Limit the time of the block; in the main thread only.

        Raises:
            TimeoutError: It took longer.
        """
        previous = signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)

    def _too_long(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TimeoutError
