"""How the engine tells what it does, for the logs and for the person who watches."""

from collections.abc import Iterable
from typing import Protocol

from awstoe.actions.contract import StepLog
from awstoe.engine.plan import Plan


class RunLog(StepLog, Protocol):
    """The logs of a run."""

    def stderr(self, chunks: Iterable[bytes]) -> None:
        """All of a program's standard error, as one message."""

    def late(self, data: bytes) -> None:
        """A piece of what a process prints whose step has ended; called in another thread."""

    def flush(self) -> None:
        """Hand everything to the system.

        Raises:
            RecordError: It cannot be written.
        """


class RunObserver(Protocol):
    """Hears of every turn a run takes. ``failure`` texts are empty when nothing failed."""

    def run_started(self, plan: Plan) -> None:
        """A run, top or nested, begins."""

    def run_resumed(self) -> None:
        """The run goes on in this process."""

    def document_started(self, index: int, path: str) -> None:
        """A document begins."""

    def phase_started(self, index: int, path: str, phase: str) -> None:
        """A phase begins."""

    def step_started(self, phase: str, step: str, action: str) -> None:
        """A step begins."""

    def branch_taken(self, step: str, branch: str, explanation: str) -> None:
        """The ``if`` of a step was evaluated."""

    def inputs_resolved(self, step: str, before: str, after: str) -> None:
        """References in the inputs got their values; both are JSON text."""

    def attempt_started(self, step: str, attempt: int, of: int, timeout: int, loop: str) -> None:
        """An attempt begins; ``loop`` says over what it iterates and is empty without a loop."""

    def iteration_started(self, step: str, index: int) -> None:
        """An iteration that is logged begins."""

    def attempt_finished(self, step: str, failure: str, *, again: bool) -> None:
        """An attempt is over; ``again``: another follows."""

    def step_finished(
        self, place: tuple[str, str], status: str, outputs: str, failure: str
    ) -> None:
        """A step (phase, name) is over; ``outputs`` is JSON text."""

    def phase_finished(self, path: str, phase: str, status: str) -> None:
        """A phase is over."""

    def document_finished(self, path: str, status: str) -> None:
        """A document is over."""

    def run_finished(self, depth: int, status: str, reason: str) -> None:
        """A run is over; ``reason`` says why it was stopped, if it was."""


class RecordFiles(Protocol):
    """The JSON files that show the records."""

    def update(self) -> None:
        """The records have changed: rewrite the files if that is cheap now.

        Raises:
            RecordError: They cannot be written.
        """

    def failed(self) -> None:
        """A step has failed: rewrite the files now, unless many failures make that a burden.

        Raises:
            RecordError: They cannot be written.
        """

    def write(self) -> None:
        """Rewrite the files now.

        Raises:
            RecordError: They cannot be written.
        """
