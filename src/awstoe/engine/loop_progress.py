"""Keeps the progress of a loop: in the journal, so that it can resume there, and in the log."""

import time

from awstoe import limits
from awstoe.engine import events
from awstoe.engine.events import StepAddress
from awstoe.engine.execution import Execution
from awstoe.engine.loop_outputs import Collation
from awstoe.engine.observers import RunLog


class LoopProgress:
    """Writes a loop's progress to the journal.

    Each of the first iterations is written, the later ones about once a second.

    Args:
        execution: Takes the events.
        address: The step.
        last: The last iteration that the journal has; -1 for none.
    """

    def __init__(self, execution: Execution, address: StepAddress, last: int) -> None:
        self._execution = execution
        self._address = address
        self._last = last
        self._written = last
        self._limit = execution.services.stdout_limit
        self._outputs = Collation(self._limit)
        self._written_at = time.monotonic()

    def finished(self, index: int, outputs: events.Outputs) -> None:
        """Note that iteration ``index`` has finished."""
        self._last = index
        self._outputs.add(outputs)
        if index < limits.LOGGED_ITERATIONS or (
            index % 64 == 0 and time.monotonic() - self._written_at >= limits.JOURNAL_SYNC_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        """Write what has not been written yet."""
        if self._last == self._written:
            return
        outputs = self._outputs
        self._execution.emit(
            events.IterationsFinished(*self._address, self._last, outputs.outputs(), outputs.capped)
        )
        self._written = self._last
        self._outputs = Collation(self._limit)
        self._written_at = time.monotonic()


def log_progress(log: RunLog, index: int, total: int) -> None:
    """Log the progress of a loop at intervals, when its iterations are no longer logged."""
    if index == limits.LOGGED_ITERATIONS:
        log.info(
            f"Executor: the first {index} of {total} iterations were logged in full; from here on"
            f" one line per {limits.LOGGED_ITERATION_STRIDE}"
        )
    if index % limits.LOGGED_ITERATION_STRIDE == 0:
        log.info(f"Executor: iteration {index} of {total}")
