"""What the engine needs from those that receive its output: logs, record files and observers."""

from collections.abc import Iterable
from typing import Protocol

from awstoe.actions.contract import StepLog
from awstoe.engine.events import Event


class RunLog(StepLog, Protocol):
    """The logs of a run."""

    def stderr(self, chunks: Iterable[bytes]) -> None:
        """Log all of a program's standard error as one message."""

    def late(self, data: bytes) -> None:
        """Log output of a process whose step has ended. Called from another thread."""

    def flush(self) -> None:
        """Hand all lines to the operating system.

        Raises:
            RecordError: They cannot be written.
        """


class RunObserver(Protocol):
    """Receives every event of a run, after the journal and the records have it."""

    def on_event(self, event: Event) -> None:
        """Take note of ``event``.

        Raises:
            RecordError: Something the observer writes cannot be written.
        """


class RecordFiles(Protocol):
    """The JSON files that show the records."""

    def update(self) -> None:
        """Rewrite the files if that is cheap now: the records have changed.

        Raises:
            RecordError: They cannot be written.
        """

    def failed(self) -> None:
        """Rewrite the files for a failed step, unless frequent failures make that expensive.

        Raises:
            RecordError: They cannot be written.
        """

    def write(self) -> None:
        """Rewrite the files now.

        Raises:
            RecordError: They cannot be written.
        """
