"""A log that keeps quiet: for ``disableLogging``, and for the iterations nobody could read."""

from collections.abc import Iterable

from awstoe.engine.narration import RunLog


class Muted:
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

    def flush(self) -> None:
        """See ``RunLog``."""
        self._log.flush()
