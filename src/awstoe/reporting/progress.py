"""Those who watch a run on standard error: nobody, or a reader of plain lines.

The view of a terminal is in ``reporting.terminal``, which is imported only where there is one.
"""

import time
from collections.abc import Callable


class Progress:
    """Somebody who watches a run; this one sees nothing (``--quiet``)."""

    def start(self) -> None:
        """The run begins."""

    def stop(self) -> None:
        """The run is over, or stopped: leave the terminal as it was."""

    def phase(self, document: str, phase: str) -> None:
        """A phase begins."""

    def step(self, phase: str, step: str, action: str) -> None:
        """A step begins."""

    def attempt(self, attempt: int, of: int) -> None:
        """An attempt begins."""

    def iteration(self, number: int) -> None:
        """An iteration begins."""

    def step_end(self, phase: str, step: str, status: str, failure: str) -> None:
        """A step is over."""

    def line(self, text: str) -> None:
        """The last line that the step's program wrote."""

    def warning(self, message: str) -> None:
        """Something that a person should know."""


class PlainProgress(Progress):
    """Writes a line when a step begins and one when it is over.

    Args:
        write: Writes one line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._started = 0.0

    def phase(self, document: str, phase: str) -> None:
        """See ``Progress``."""
        self._write(f"{printable(document)}: phase {phase}")

    def step(self, phase: str, step: str, action: str) -> None:
        """See ``Progress``."""
        self._started = time.monotonic()
        self._write(f"  {phase}/{step} ({action})")

    def attempt(self, attempt: int, of: int) -> None:
        """See ``Progress``."""
        if attempt > 1:
            self._write(f"  attempt {attempt} of {of}")

    def step_end(self, phase: str, step: str, status: str, failure: str) -> None:
        """See ``Progress``."""
        seconds = time.monotonic() - self._started
        reason = f": {printable(failure)}" if failure else ""
        self._write(f"  {phase}/{step}: {status} in {seconds:.1f} s{reason}")

    def warning(self, message: str) -> None:
        """See ``Progress``."""
        self._write(f"  warning: {printable(message)}")


def printable_lines(text: str) -> str:
    """The same of several lines, which stay several."""
    return "\n".join(printable(line) for line in text.splitlines())


def printable(text: str) -> str:
    """``text`` without control characters: a program's output must not drive the terminal."""
    return "".join(c if c.isprintable() else " " if c in "\t\n" else "?" for c in text)
