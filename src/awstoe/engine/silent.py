"""A log that keeps quiet: for ``disableLogging``, and for the iterations nobody could read."""

from collections.abc import Iterable

from awstoe.engine.observers import RunLog
from awstoe.engine.plan import Plan


class NullLog:
    """Drops every message; only ``flush`` reaches the log behind it."""

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def info(self, message: str) -> None:
        """See ``StepLog``."""

    def debug(self, message: str) -> None:
        """See ``StepLog``."""

    def warning(self, message: str) -> None:
        """See ``StepLog``."""

    def stdout(self, data: bytes) -> None:
        """See ``StepLog``."""

    def stdout_end(self) -> None:
        """See ``StepLog``."""

    def live_stderr(self, data: bytes) -> None:
        """See ``StepLog``."""

    def stderr(self, chunks: Iterable[bytes]) -> None:
        """See ``RunLog``."""

    def late(self, data: bytes) -> None:
        """See ``RunLog``."""

    def flush(self) -> None:
        """See ``RunLog``."""
        self._log.flush()


class NullObserver:
    """A narrator that tells nothing."""

    def run_started(self, plan: Plan) -> None:
        """See ``Narrator``."""

    def run_resumed(self) -> None:
        """See ``Narrator``."""

    def document_started(self, index: int, path: str) -> None:
        """See ``Narrator``."""

    def phase_started(self, index: int, path: str, phase: str) -> None:
        """See ``Narrator``."""

    def step_started(self, phase: str, step: str, action: str) -> None:
        """See ``Narrator``."""

    def branch_taken(self, step: str, branch: str, explanation: str) -> None:
        """See ``Narrator``."""

    def inputs_resolved(self, step: str, before: str, after: str) -> None:
        """See ``Narrator``."""

    def attempt_started(self, step: str, attempt: int, of: int, timeout: int, loop: str) -> None:
        """See ``Narrator``."""

    def iteration_started(self, step: str, index: int) -> None:
        """See ``Narrator``."""

    def attempt_finished(self, step: str, failure: str, *, again: bool) -> None:
        """See ``Narrator``."""

    def step_finished(
        self, place: tuple[str, str], status: str, outputs: str, failure: str
    ) -> None:
        """See ``Narrator``."""

    def phase_finished(self, path: str, phase: str, status: str) -> None:
        """See ``Narrator``."""

    def document_finished(self, path: str, status: str) -> None:
        """See ``Narrator``."""

    def run_finished(self, depth: int, status: str, reason: str) -> None:
        """See ``Narrator``."""
