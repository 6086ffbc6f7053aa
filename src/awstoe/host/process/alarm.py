"""Stops code that has been running for too long; in the main thread only."""

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Final

if sys.platform == "win32":
    # Windows: stops code that has been running for too long, by a timer that plays a signal.
    # There is no alarm signal, and a thread could not run while Python's matcher of expressions
    # does, as that does not let go of the interpreter's lock. But a timer of the system calls a
    # function of C in a thread of its own, and ``PyErr_SetInterruptEx`` is one that may be called
    # from anywhere: it makes the interpreter believe that a signal has come, which the matcher
    # looks for while it works.
    import ctypes
    import signal
    from contextlib import contextmanager
    from ctypes import wintypes

    from awstoe.host import kernel32_windows as kernel32

    _SIGNAL: Final = signal.SIGTERM
    """One that the system itself never sends here."""
    _IN_TIMER_THREAD: Final = 0x20
    _ONLY_ONCE: Final = 0x8

    @contextmanager
    def alarm(seconds: float) -> Iterator[None]:
        """Bound the time of what is done inside; in the main thread only.

        Raises:
            TimeoutError: It took longer.
        """
        running = True

        def too_long(number: int, frame: FrameType | None) -> None:
            del number, frame
            if running:
                raise TimeoutError

        # The timer hands its function one argument that fits into a register: here the signal.
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
    # Linux: stops code that has been running for too long, by an alarm.
    import signal
    from contextlib import contextmanager

    @contextmanager
    def alarm(seconds: float) -> Iterator[None]:
        """Bound the time of what is done inside; in the main thread only.

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
