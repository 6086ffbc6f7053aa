"""How far a loop has got: in the journal, so that it can go on there, and in the log."""

import time

from awstoe import limits
from awstoe.engine import events
from awstoe.engine.events import StepAddress
from awstoe.engine.execution import Execution
from awstoe.engine.loop_outputs import Collation
from awstoe.engine.observers import RunLog


class LoopProgress:
    """Writes a loop's progress to the journal: each of the first iterations, then now and then."""

    def __init__(self, execution: Execution, place: StepAddress, last: int) -> None:
        self._execution = execution
        self._place = place
        self._last = last
        self._written = last
        self._limit = execution.services.stdout_limit
        self._outputs = Collation(self._limit)
        self._written_at = time.monotonic()

    def finished(self, index: int, outputs: events.Outputs) -> None:
        """Iteration ``index`` is over."""
        self._last = index
        self._outputs.add(outputs)
        if index < limits.LOGGED_ITERATIONS or (
            index % 64 == 0 and time.monotonic() - self._written_at >= limits.JOURNAL_SYNC_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        """Write what has not been written."""
        if self._last == self._written:
            return
        found = self._outputs
        event = events.IterationsFinished(*self._place, self._last, found.outputs(), found.capped)
        self._execution.emit(event)
        self._written = self._last
        self._outputs = Collation(self._limit)
        self._written_at = time.monotonic()


def log_progress(log: RunLog, index: int, total: int) -> None:
    """Tell now and then how far a loop is whose iterations are not logged any more."""
    if index == limits.LOGGED_ITERATIONS:
        log.info(
            f"Executor: the first {index} of {total} iterations were logged in full; from here on"
            f" one line per {limits.LOGGED_ITERATION_STRIDE}"
        )
    if index % limits.LOGGED_ITERATION_STRIDE == 0:
        log.info(f"Executor: iteration {index} of {total}")
