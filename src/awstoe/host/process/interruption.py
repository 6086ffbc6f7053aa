"""Turns signals that ask the run to stop into a flag, a wake-up and an exception.

A signal handler may run between any two byte codes (on Windows: in a thread of its own), so it only
notes the signal. Code that can stop calls ``check``. A loop that waits for events also waits for
``fileno``, and calls ``clear`` once that is ready. Repeated signals change nothing: a terminal and
a supervisor often deliver the same Ctrl-C, and a bootloader forwards it again. Only a SIGINT
``limits.HARD_STOP_SECONDS`` or more after the first signal means "now".

``linux.signals`` and ``windows.signals`` receive the signals.
"""

import signal
import sys
import time
from types import TracebackType
from typing import Self

from awstoe import limits
from awstoe.errors import Interrupted

if sys.platform == "win32":
    from awstoe.host.process.windows import signals
else:
    from awstoe.host.process.linux import signals


class Interruption:
    """Whether a signal has asked the run to stop; a context manager that installs the handlers.

    An instance that was never entered is never interrupted. Only the main thread can enter it, as
    the handlers belong to the process.
    """

    __slots__ = ("_first_at", "_hard", "_hard_at", "_signal", "_source")

    def __init__(self) -> None:
        self._signal = 0
        self._first_at = 0.0
        self._hard = False
        self._hard_at = float("inf")
        self._source: signals.Source | None = None

    @property
    def signal_number(self) -> int | None:
        """The first signal received, or None."""
        return self._signal or None

    @property
    def hard(self) -> bool:
        """Whether to stop without a further grace period."""
        return self._hard or time.monotonic() >= self._hard_at

    def fileno(self) -> int:
        """Return what becomes ready when a signal arrives; -1 outside the context.

        It is a descriptor, on Windows the handle of an event.
        """
        return -1 if self._source is None else self._source.fileno()

    def check(self) -> None:
        """Raise an error if a signal has been received.

        Raises:
            Interrupted: A signal asks the run to stop.
        """
        if self._signal:
            raise Interrupted(self._signal)

    def clear(self) -> None:
        """Reset ``fileno``, so that only a further signal makes it ready."""
        if self._source is not None:
            self._source.clear()

    def __enter__(self) -> Self:
        self._source = signals.Source(self.received)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def received(self, number: int, *, urgent: bool = False) -> None:
        """Note a signal, from any thread. ``urgent``: the system soon ends the process."""
        now = time.monotonic()
        if urgent:
            self._hard_at = now + limits.URGENT_GRACE_SECONDS
        if not self._signal:
            self._first_at = now
            self._signal = number
        elif number == signal.SIGINT and now - self._first_at >= limits.HARD_STOP_SECONDS:
            self._hard = True
