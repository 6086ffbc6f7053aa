"""The records of a run: everything that has happened, applied event by event. Pure.

Replaying the journal gives the same records as having been there, so a resumed run and the JSON
files need no other source.
"""

import json
from enum import StrEnum

from awstoe.engine import events
from awstoe.engine.collation import Collation
from awstoe.expressions.values import Value


class Status(StrEnum):
    """The status of a step, phase, document or run."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    IGNORED_FAILURE = "ignoredFailure"
    SUCCESS_WITH_IGNORED_FAILURE = "successWithIgnoredFailure"


class StepRecord:
    """What became of one step."""

    __slots__ = (
        "attempts",
        "branch",
        "capped",
        "end_time",
        "exit_code",
        "finished",
        "hidden",
        "inputs",
        "last_iteration",
        "message",
        "nested",
        "outputs",
        "partial",
        "process",
        "rendered",
        "start_time",
        "status",
        "stderr_tail",
    )

    def __init__(self, start_time: str) -> None:
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.exit_code: int | None = None
        self.stderr_tail = ""
        self.inputs: str | None = None
        self.outputs: events.Outputs = []
        self.capped = False
        self.hidden = False
        self.finished = False
        self.branch: str | None = None
        self.attempts = 0
        self.last_iteration = -1
        self.partial: Collation | None = None
        """Outputs of the iterations of a loop that have finished."""
        self.process: tuple[int, str] | None = None
        self.nested: list[RunRecord] = []
        self.rendered: str | None = None
        """A finished record's JSON text, kept by whoever writes it."""

    def input_values(self) -> list[dict[str, Value]]:
        """The resolved inputs, one mapping per operation."""
        values: list[dict[str, Value]] = json.loads(self.inputs or "[]")
        return values


class PhaseRecord:
    """What became of one phase."""

    __slots__ = ("end_time", "finished", "message", "start_time", "status", "steps")

    def __init__(self, start_time: str) -> None:
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.finished = False
        self.steps: dict[int, StepRecord] = {}


class DocumentRecord:
    """What became of one document."""

    __slots__ = ("end_time", "finished", "message", "phases", "start_time", "status")

    def __init__(self, start_time: str) -> None:
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.finished = False
        self.phases: dict[int, PhaseRecord] = {}


class RunRecord:
    """What became of one run."""

    __slots__ = (
        "documents",
        "end_time",
        "execution_id",
        "finished",
        "interrupted_by",
        "message",
        "plan",
        "sources",
        "start_time",
        "status",
    )

    def __init__(self, execution_id: str, start_time: str) -> None:
        self.execution_id = execution_id
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.finished = False
        self.interrupted_by: int | None = None
        """The signal that stopped it; what was not finished then runs again on resuming."""
        self.documents: dict[int, DocumentRecord] = {}
        self.sources: list[events.Source] = []
        self.plan: object = None
        """The run's ``Plan``, set by the runner when it starts or resumes the run."""


class Counts:
    """The three counts of a run's summary."""

    __slots__ = ("executed", "failed", "ignored")

    def __init__(self) -> None:
        self.executed = 0
        self.failed = 0
        self.ignored = 0


def counts(run: RunRecord) -> Counts:
    """Steps of ``run``, skipped ones and those of nested documents left out."""
    found = Counts()
    for document in run.documents.values():
        for phase in document.phases.values():
            for step in phase.steps.values():
                if not step.finished or step.status is Status.SKIPPED:
                    continue
                found.executed += 1
                found.failed += step.status is Status.FAILED
                found.ignored += step.status is Status.IGNORED_FAILURE
    return found


class Records:
    """All runs of one execution: the top run and those of ExecuteDocument steps.

    Args:
        output_limit: Bytes kept of the collated outputs of a loop.
    """

    def __init__(self, output_limit: int) -> None:
        self.runs: dict[str, RunRecord] = {}
        self._output_limit = output_limit

    def step(self, run: str, document: int, phase: int, step: int) -> StepRecord:
        """The record of a step that has started."""
        return self.runs[run].documents[document].phases[phase].steps[step]

    def forget(self, run: str) -> None:
        """Drop a nested run whose record is not kept."""
        del self.runs[run]

    def apply(self, event: events.Event) -> None:
        """Take ``event`` into the records."""
        match event:
            case events.StepFinished():
                self._step_finished(event)
            case events.StepStarted():
                self._step_started(event)
            case events.AttemptStarted():
                step = self.step(*event[:4])
                if step.nested:
                    self._forget_nested(event)
                step.attempts = event.attempt
                step.last_iteration = -1
                step.partial = None
                step.nested.clear()
            case events.InputsResolved():
                self.step(*event[:4]).inputs = event.inputs
            case events.BranchTaken():
                self.step(*event[:4]).branch = event.branch
            case events.ProcessStarted():
                self.step(*event[:4]).process = (event.pid, event.identity)
            case events.IterationsFinished():
                step = self.step(*event[:4])
                step.last_iteration = event.last
                if step.partial is None:
                    step.partial = Collation(self._output_limit)
                step.partial.add(event.outputs)
                step.partial.capped |= event.capped
            case _:
                self._outer(event)

    def _forget_nested(self, place: events.AttemptStarted) -> None:
        """A new attempt runs its documents anew."""
        prefix = f"{place.run}/{place.document}.{place.phase}.{place.step}"
        starts = (f"{prefix}#", f"{prefix}/")
        for run in [key for key in self.runs if key == prefix or key.startswith(starts)]:
            del self.runs[run]

    def _step_started(self, event: events.StepStarted) -> None:
        steps = self.runs[event.run].documents[event.document].phases[event.phase].steps
        if event.step not in steps:
            steps[event.step] = StepRecord(event.time)

    def _step_finished(self, event: events.StepFinished) -> None:
        step = self.step(*event[:4])
        step.end_time = event.time
        step.status = Status(event.status)
        step.message = event.message
        step.exit_code = event.exit_code
        step.stderr_tail = event.stderr_tail
        step.attempts = event.attempts
        step.outputs = event.outputs
        step.capped = event.capped
        step.hidden = event.hidden
        step.finished = True
        step.partial = None
        step.process = None

    def _outer(self, event: events.Event) -> None:
        match event:
            case events.PhaseStarted():
                phases = self.runs[event.run].documents[event.document].phases
                phases.setdefault(event.phase, PhaseRecord(event.time))
            case events.DocumentStarted():
                documents = self.runs[event.run].documents
                documents.setdefault(event.document, DocumentRecord(event.time))
            case events.PhaseFinished():
                phase = self.runs[event.run].documents[event.document].phases[event.phase]
                _finish(phase, event)
            case events.DocumentFinished():
                _finish(self.runs[event.run].documents[event.document], event)
            case events.RunFinished():
                _finish(self.runs[event.run], event)
            case events.RunStarted():
                self._run_started(event)
            case events.RunInterrupted():
                run = self.runs[event.run]
                run.interrupted_by = event.signal
                run.end_time = event.time
            case events.RunResumed():
                for run in self.runs.values():
                    run.interrupted_by = None
            case _:
                raise AssertionError(event)

    def _run_started(self, event: events.RunStarted) -> None:
        record = self.runs[event.run] = RunRecord(event.execution_id, event.time)
        record.sources = [events.Source._make(source) for source in event.sources]
        outer, _, place = event.run.rpartition("/")
        if place:
            document, phase, step = (int(part) for part in place.partition("#")[0].split("."))
            self.step(outer, document, phase, step).nested.append(record)


def _finish(
    record: RunRecord | DocumentRecord | PhaseRecord,
    event: events.RunFinished | events.DocumentFinished | events.PhaseFinished,
) -> None:
    record.end_time = event.time
    record.status = Status(event.status)
    record.message = event.message
    record.finished = True
