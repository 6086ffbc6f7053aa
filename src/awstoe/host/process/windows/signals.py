"""Windows: receives the console events that ask a run to stop.

Ctrl-C counts as SIGINT. Ctrl-Break, closing the console window, logging off and shutting down count
as SIGTERM. After the last three, the system ends the process within seconds, or at once when the
handler returns: so the handler does not return.

A process in the services' session gets an event for every user who logs off, which must not stop
the run. A process that was started to ignore Ctrl-C (for example in a process group of its own)
gets no event for it.
"""

import _thread
import ctypes
import signal
import sys
import time
from ctypes import wintypes
from typing import Final, Protocol

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"

_CTRL_C: Final = 0
_CTRL_BREAK: Final = 1
_CLOSE: Final = 2
_LOGOFF: Final = 5
_SHUTDOWN: Final = 6
_SIGNALS: Final = {
    _CTRL_C: signal.SIGINT,
    _CTRL_BREAK: signal.SIGTERM,
    _CLOSE: signal.SIGTERM,
    _LOGOFF: signal.SIGTERM,
    _SHUTDOWN: signal.SIGTERM,
}
_URGENT: Final = frozenset({_CLOSE, _LOGOFF, _SHUTDOWN})
_UNTIL_THE_SYSTEM_ENDS_US: Final = 60.0
_HandlerRoutine: Final = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)


class Receiver(Protocol):
    """Notes a signal; ``urgent``: the system ends the process in a few seconds."""

    def __call__(self, number: int, *, urgent: bool = False) -> None: ...


class Source:
    """The installed handler, and an event that is set after a console event.

    Args:
        received: Called in another thread.
    """

    __slots__ = ("_event", "_received", "_routine")

    def __init__(self, received: Receiver) -> None:
        self._received = received
        self._event = kernel32.event()
        self._routine = _HandlerRoutine(self.handle)
        kernel32.api.SetConsoleCtrlHandler(self._routine, True)
        with _lock:
            _installed.append(self)

    def fileno(self) -> int:
        """The event's handle."""
        return self._event

    def clear(self) -> None:
        """Reset the event."""
        kernel32.api.ResetEvent(self._event)

    def close(self) -> None:
        """Remove the handler."""
        with _lock:
            _installed.remove(self)
        kernel32.api.SetConsoleCtrlHandler(self._routine, False)
        kernel32.api.CloseHandle(self._event)

    def receive(self, number: int, *, urgent: bool) -> None:
        """Report a signal."""
        self._received(number, urgent=urgent)
        kernel32.api.SetEvent(self._event)

    def handle(self, kind: int) -> bool:
        """Handle a console event; return whether it is a known one."""
        number = _SIGNALS.get(kind)
        if number is None:
            return False
        if kind == _LOGOFF and kernel32.session() == 0:
            return True
        self.receive(number, urgent=kind in _URGENT)
        if kind in _URGENT:
            time.sleep(_UNTIL_THE_SYSTEM_ENDS_US)
        return True


_installed: Final[list[Source]] = []
_lock: Final = _thread.allocate_lock()
"""Held while the list is changed or used: another thread may stop the run."""


def stop(*, urgent: bool = False) -> bool:
    """Ask a run to stop, as Ctrl-Break does. Any thread may; a frozen program's start calls it.

    Args:
        urgent: Whether the run has only two seconds, as before a shutdown.

    Returns:
        Whether there is a run.
    """
    with _lock:
        for source in _installed:
            source.receive(signal.SIGTERM, urgent=urgent)
        return bool(_installed)
