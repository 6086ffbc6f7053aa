"""Progress output on standard error: none, or plain lines.

``reporting.live_progress`` shows progress on a terminal, and is imported only if there is one.
"""

import time
from collections.abc import Callable


class Progress:
    """Shows the progress of a run. This one shows nothing (``--quiet``)."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []
        """Phase and name of the steps that are running: one, and those of nested documents."""

    def stopped(self) -> None:
        """Show the end of the steps that were running when the run was stopped.

        Why it was stopped is reported once, after the progress.
        """
        while self._open:
            self.step_end(*self._open[-1], "failed", "")

    def start(self) -> None:
        """Start: the run starts."""

    def stop(self) -> None:
        """Stop, and leave the terminal as it was: the run has finished or was stopped."""

    def phase(self, document: str, phase: str) -> None:
        """Show that a phase starts."""

    def step(self, phase: str, step: str, action: str) -> None:
        """Show that a step starts."""
        del action
        self._open.append((phase, step))

    def attempt(self, attempt: int, of: int) -> None:
        """Show that an attempt starts."""

    def iteration(self, number: int) -> None:
        """Show that an iteration starts."""

    def step_end(self, phase: str, step: str, status: str, failure: str) -> None:
        """Show that a step has finished."""
        del phase, step, status, failure
        del self._open[-1:]

    def line(self, text: str) -> None:
        """Show the last line that the step's program printed."""

    def warning(self, message: str) -> None:
        """Show a warning."""


class PlainProgress(Progress):
    """Writes a line when a step starts and one when it has finished.

    Args:
        write: Writes one line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write
        self._started: list[float] = []
        """When the running steps started: a step and those of the document that it runs."""

    def phase(self, document: str, phase: str) -> None:
        self._write(f"{printable(document)}: phase {phase}")

    def step(self, phase: str, step: str, action: str) -> None:
        super().step(phase, step, action)
        self._started.append(time.monotonic())
        self._write(f"  {phase}/{step} ({action})")

    def attempt(self, attempt: int, of: int) -> None:
        if attempt > 1:
            self._write(f"  attempt {attempt} of {of}")

    def step_end(self, phase: str, step: str, status: str, failure: str) -> None:
        super().step_end(phase, step, status, failure)
        seconds = time.monotonic() - self._started.pop()
        reason = f": {printable(failure)}" if failure else ""
        self._write(f"  {phase}/{step}: {status} in {seconds:.1f} s{reason}")

    def warning(self, message: str) -> None:
        self._write(f"  warning: {printable(message)}")


def printable_lines(text: str) -> str:
    """Return ``text`` without control characters, except line ends."""
    return "\n".join(printable(line) for line in text.splitlines())


def printable(text: str) -> str:
    """Return ``text`` without control characters, which must not reach the terminal."""
    return "".join(c if c.isprintable() else " " if c in "\t\n" else "?" for c in text)
