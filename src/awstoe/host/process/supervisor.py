"""Attends one child from its start to the end of its process tree; what every system does alike.

``ChildSupervisor`` says when attending is over and who gets which output. Its systems' variants, in
``process_linux`` and ``process_windows``, wait for something to happen, read pipes and end trees.
The deadline and the signals are looked at between any two reads, so a child that floods its output
cannot put them off.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from enum import Enum, auto
from functools import partial
from typing import Generic, Protocol, TypeVar

from awstoe import limits
from awstoe.host.process.interruption import Interruption

Sink = Callable[[bytes], None]
"""Takes output, piece by piece."""

Pipe = TypeVar("Pipe")
"""The reading end of a pipe."""


def discard(data: bytes) -> None:
    """A sink for output that nobody wants."""
    del data


class Process(Protocol):
    """A running process, as far as a message names it."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def name(self) -> str:
        """Its program."""


def describe(processes: Iterable[Process]) -> list[str]:
    """Processes as ``<id> (<name>)``."""
    return [f"{process.pid} ({process.name})" for process in processes]


class Ended(Enum):
    """Why attending is over."""

    EXIT = auto()
    HELD_OPEN = auto()
    TIMEOUT = auto()
    SIGNAL = auto()


class ChildSupervisor(ABC, Generic[Pipe]):
    """One child, its output and all that it starts.

    Args:
        sinks: Its pipes' reading ends, and who gets the data. They are closed by ``close``.
        deadline: The ``time.monotonic`` at which its time is over, or None.
        interruption: Says when to stop.

    Attributes:
        exit_code: The child's, None while it runs.
    """

    def __init__(
        self, sinks: dict[Pipe, Sink], deadline: float | None, interruption: Interruption
    ) -> None:
        self.exit_code: int | None = None
        self._sinks = sinks
        self._deadline = deadline
        self._interruption = interruption
        self._failure: Exception | None = None

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
            chores = self._housekeeping(now)
            self._poll(chores if over is None else min(chores, over - now))
            if not ended and self.exit_code == 0:
                held = time.monotonic() + limits.PIPE_HELD_OPEN_SECONDS
                over = held if over is None else min(over, held)

    def discard_output(self) -> None:
        """Discard all further output: whoever gets it has failed."""
        self._sinks = dict.fromkeys(self._sinks, discard)

    def take_pipes(self) -> list[Pipe]:
        """Hand over the pipes that are still open; ``close`` no longer closes them.

        Raises:
            Exception: Whatever a sink raised for the last output.
        """
        self._read_rest()
        pipes = list(self._sinks)
        self._sinks = {}
        return pipes

    def _pause(self, seconds: float) -> None:
        """Read output for so long, or until the child ends; a sink's failure has to wait."""
        over = time.monotonic() + seconds
        running = self.exit_code is None
        while (left := over - time.monotonic()) > 0:
            self._guarded(partial(self._poll, left))
            if self._interruption.hard or (running and self.exit_code is not None):
                return

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - raised again when the tree has been ended
            self._failure = self._failure or error
            self.discard_output()

    def _read_rest(self) -> None:
        """Read what the pipes hold now: no more than that, as others may still be writing.

        Raises:
            Exception: What a sink raised, now or while the tree was being ended.
        """
        for pipe in list(self._sinks):
            self._guarded(partial(self._read, pipe))
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @abstractmethod
    def finish(self) -> None:
        """After exit 0: what was left in the background lives on."""

    @abstractmethod
    def end_tree(self) -> list[str]:
        """End all that the child started, and itself; read what is left of the output.

        Returns:
            The processes that could not be ended, as ``<id> (<name>)``.

        Raises:
            Exception: Whatever a sink raised meanwhile, after the tree was ended.
        """

    @abstractmethod
    def close(self) -> None:
        """Close all that is open here; the processes are left as they are."""

    @abstractmethod
    def _housekeeping(self, now: float) -> float:
        """Do what is due from time to time; gives the seconds until something is due again."""

    @abstractmethod
    def _poll(self, seconds: float) -> None:
        """Wait for something to happen, for so many seconds at most, and deal with it."""

    @abstractmethod
    def _read(self, pipe: Pipe) -> object:
        """Hand what a pipe holds to its sink, and close the pipe at its end."""
