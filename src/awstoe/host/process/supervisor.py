"""Supervises one child until its process tree has ended; the platform-independent part.

``ChildSupervisor`` decides when supervision ends and where output goes. Its subclasses in
``linux.supervisor`` and ``windows.supervisor`` wait for events, read pipes and end process trees.
The deadline and the signals are checked between any two reads, so a child that floods its output
cannot delay them.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from enum import Enum, auto
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from awstoe import limits
from awstoe.host.process.interruption import Interruption

Sink = Callable[[bytes], None]
"""Receives output, piece by piece."""

Pipe = TypeVar("Pipe")
"""The reading end of a pipe."""

_ONE_HOUR: Final = 3600.0


def discard(data: bytes) -> None:
    """Discard output; a sink."""
    del data


class Process(Protocol):
    """A running process, as messages describe it."""

    @property
    def pid(self) -> int:
        """Its ID."""

    @property
    def name(self) -> str:
        """Its program."""


def describe(processes: Iterable[Process]) -> list[str]:
    """Return each process as ``<id> (<name>)``."""
    return [f"{process.pid} ({process.name})" for process in processes]


class Ended(Enum):
    """Why supervision ended."""

    EXIT = auto()
    HELD_OPEN = auto()
    TIMEOUT = auto()
    SIGNAL = auto()


class ChildSupervisor(ABC, Generic[Pipe]):
    """One child, its output and everything it starts.

    Args:
        sinks: The reading ends of its pipes, each with its sink. ``close`` closes them.
        deadline: The ``time.monotonic`` at which it times out, or None.
        interruption: When to stop.

    Attributes:
        exit_code: The child's; None while it runs.
        by_signal: Whether a signal ended the child.
    """

    def __init__(
        self, sinks: dict[Pipe, Sink], deadline: float | None, interruption: Interruption
    ) -> None:
        self.exit_code: int | None = None
        self.by_signal = False
        self._sinks = sinks
        self._deadline = deadline
        self._interruption = interruption
        self._failure: Exception | None = None

    def wait(self) -> Ended:
        """Wait until the child and its output end, or a signal or the deadline comes first."""
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
            self._poll(_ONE_HOUR if over is None else over - now)
            if not ended and self.exit_code == 0:
                held = time.monotonic() + limits.PIPE_HELD_OPEN_SECONDS
                over = held if over is None else min(over, held)

    def discard_output(self) -> None:
        """Discard all further output: a sink has failed."""
        self._sinks = dict.fromkeys(self._sinks, discard)

    def take_pipes(self) -> list[Pipe]:
        """Return the pipes that are still open; ``close`` no longer closes them.

        Raises:
            Exception: What a sink raised for the last output.
        """
        self._read_rest()
        pipes = list(self._sinks)
        self._sinks = {}
        return pipes

    def _keep_reading(self, seconds: float) -> None:
        """Read output for this time, or until the child ends; errors of a sink are kept."""
        over = time.monotonic() + seconds
        running = self.exit_code is None
        while (left := over - time.monotonic()) > 0:
            self._guarded(partial(self._poll, left))
            if self._interruption.hard or (running and self.exit_code is not None):
                return

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - raised again once the tree has ended
            self._failure = self._failure or error
            self.discard_output()

    def _read_rest(self) -> None:
        """Read only what the pipes hold now, as other processes may still be writing.

        Raises:
            Exception: What a sink raised, now or while the tree was ended.
        """
        for pipe in list(self._sinks):
            self._guarded(partial(self._read, pipe))
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @abstractmethod
    def finish(self) -> None:
        """Let background processes keep running, after exit code 0."""

    @abstractmethod
    def end_tree(self) -> list[str]:
        """End the child and everything it started; read the rest of the output.

        Returns:
            The processes that could not be ended, as ``<id> (<name>)``.

        Raises:
            Exception: What a sink raised meanwhile; the tree has ended by then.
        """

    @abstractmethod
    def close(self) -> None:
        """Close pipes and descriptors; the processes keep running."""

    @abstractmethod
    def _poll(self, seconds: float) -> None:
        """Wait for an event, for up to this many seconds, and handle it."""

    @abstractmethod
    def _read(self, pipe: Pipe) -> object:
        """Pass what a pipe holds to its sink, and close the pipe at its end."""
