"""The records of a run: everything that has happened, applied event by event. Pure.

Replaying the journal results in the same records, so a resumed run and the JSON files need no other
source.
"""

import json
from enum import StrEnum

from awstoe import limits
from awstoe.engine import events
from awstoe.engine.loop_outputs import Collation
from awstoe.engine.plan import Plan
from awstoe.expressions.values import Value

_Noted = (
    events.InputsResolved
    | events.BranchTaken
    | events.ProcessStarted
    | events.FolderMade
    | events.ListRead
)
"""Events between the start and the end of a step whose data is stored as it is."""


class Status(StrEnum):
    """The status of a step, phase, document or run."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    IGNORED_FAILURE = "ignoredFailure"
    SUCCESS_WITH_IGNORED_FAILURE = "successWithIgnoredFailure"


class StepRecord:
    """The record of one step."""

    __slots__ = (
        "_input_values",
        "attempts",
        "branch",
        "capped",
        "end_time",
        "exit_code",
        "explanation",
        "finished",
        "folder",
        "hidden",
        "inputs",
        "iteration",
        "last_iteration",
        "loop_values",
        "message",
        "nested",
        "outputs",
        "partial",
        "process",
        "reboots",
        "rendered",
        "start_time",
        "status",
        "stderr_tail",
        "stdout_first",
        "stdout_tail",
    )

    def __init__(self, start_time: str) -> None:
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.exit_code: int | None = None
        self.stderr_tail = ""
        self.stdout_tail = ""
        self.stdout_first = False
        self.iteration = ""
        """The iteration that failed, as text; empty without a loop."""
        self.inputs: str | None = None
        """The resolved inputs as JSON text; None until they are resolved."""
        self._input_values: list[dict[str, Value]] | None = None
        self.outputs: events.Outputs = []
        self.capped = False
        self.hidden = False
        self.finished = False
        self.branch: str | None = None
        self.explanation = ""
        """Why the ``if`` resulted in ``branch``."""
        self.attempts = 0
        self.last_iteration = -1
        self.loop_values: list[str] | None = None
        """The values of a ``forEach``, once its list was read."""
        self.partial: Collation | None = None
        """Outputs of the finished iterations of a loop."""
        self.process: tuple[int, str] | None = None
        self.folder: str | None = None
        """The last temporary folder that the step made."""
        self.nested: list[RunRecord] = []
        self.reboots = 0
        """Reboots requested in a row, without progress in between."""
        self.rendered: str | None = None
        """JSON text of a finished record, cached by the writer of the record files."""

    def set_inputs(self, text: str) -> None:
        """Keep the resolved inputs."""
        self.inputs = text
        self._input_values = None

    def input_values(self) -> list[dict[str, Value]]:
        """Return the resolved inputs, one mapping per operation.

        A loop may refer to them in every iteration, so they are parsed once.
        """
        if self._input_values is None:
            self._input_values = json.loads(self.inputs or "[]")
        return self._input_values


class PhaseRecord:
    """The record of one phase."""

    __slots__ = ("end_time", "finished", "message", "start_time", "status", "steps")

    def __init__(self, start_time: str) -> None:
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.finished = False
        self.steps: dict[int, StepRecord] = {}


class DocumentRecord:
    """The record of one document."""

    __slots__ = ("end_time", "finished", "message", "phases", "start_time", "status")

    def __init__(self, start_time: str) -> None:
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.finished = False
        self.phases: dict[int, PhaseRecord] = {}


class RunRecord:
    """The record of one run."""

    __slots__ = (
        "documents",
        "end_time",
        "execution_id",
        "finished",
        "interrupted_by",
        "key",
        "message",
        "plan",
        "sources",
        "start_time",
        "status",
    )

    def __init__(self, key: str, execution_id: str, start_time: str) -> None:
        self.key = key
        self.execution_id = execution_id
        self.start_time = start_time
        self.end_time = ""
        self.status = Status.RUNNING
        self.message = ""
        self.finished = False
        self.interrupted_by: int | None = None
        """The signal that stopped the run. Unfinished steps run again when it is resumed."""
        self.documents: dict[int, DocumentRecord] = {}
        self.sources: list[events.Source] = []
        self.plan: Plan | None = None
        """Set by the runner once the run has started, or before it is resumed."""


class Counts:
    """The three counts of a run's summary."""

    __slots__ = ("executed", "failed", "ignored")

    def __init__(self) -> None:
        self.executed = 0
        self.failed = 0
        self.ignored = 0


def counts(run: RunRecord) -> Counts:
    """Count the steps of ``run``, without skipped ones and those of nested documents."""
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
        output_limit: The number of bytes kept of the joined outputs of a loop.
    """

    def __init__(self, output_limit: int) -> None:
        self.runs: dict[str, RunRecord] = {}
        self.context: dict[str, str] = {}
        """Values of ``context:`` that are read once per run."""
        self.boot: str | None = None
        """While the run waits for a reboot: identifies the boot before it."""
        self._output_limit = output_limit

    def step(self, run: str, document: int, phase: int, step: int) -> StepRecord:
        """Return the record of a step that has started."""
        return self.runs[run].documents[document].phases[phase].steps[step]

    def plan(self, run: str) -> Plan:
        """Return the plan of a run that has started.

        Raises:
            LookupError: The run has no plan yet.
        """
        plan = self.runs[run].plan
        if plan is None:
            raise LookupError(f"run {run!r} has no plan yet")
        return plan

    def has_started(self, event: events.Event) -> bool:
        """Whether ``event`` starts something that has a record: a resumed run continues it."""
        match event:
            case events.StepStarted():
                phase = self.runs[event.run].documents[event.document].phases[event.phase]
                return event.step in phase.steps
            case events.PhaseStarted():
                return event.phase in self.runs[event.run].documents[event.document].phases
            case events.DocumentStarted():
                return event.document in self.runs[event.run].documents
            case events.RunStarted():
                return event.run in self.runs
            case _:
                return False

    def apply(self, event: events.JournaledEvent) -> None:
        """Add ``event`` to the records."""
        match event:
            case events.StepFinished():
                self._step_finished(event)
            case events.StepStarted():
                self._step_started(event)
            case events.AttemptStarted():
                self._attempt_started(event)
            case events.IterationsFinished():
                self._iterations_finished(event)
            case events.RebootAsked():
                self.boot = event.boot
                self.step(*event[:4]).reboots += 1
            case (
                events.InputsResolved()
                | events.BranchTaken()
                | events.ProcessStarted()
                | events.FolderMade()
                | events.ListRead()
            ):
                _note(self.step(*event[:4]), event)
            case _:
                self._outer(event)

    def _attempt_started(self, event: events.AttemptStarted) -> None:
        step = self.step(*event[:4])
        self._forget_nested(step, 0)
        step.attempts = event.attempt
        step.last_iteration = -1
        step.loop_values = None
        step.partial = None

    def _iterations_finished(self, event: events.IterationsFinished) -> None:
        step = self.step(*event[:4])
        step.last_iteration = event.last
        step.reboots = 0
        if step.partial is None:
            step.partial = Collation(self._output_limit)
        step.partial.add(event.outputs)
        step.partial.capped |= event.capped
        self._forget_nested(step, limits.KEPT_NESTED_RECORDS)

    def _forget_nested(self, step: StepRecord, kept: int) -> None:
        """Drop nested runs of ``step`` after the first ``kept``, with all runs nested in them.

        One that failed is kept, as the summary describes it, unless none are kept.
        """
        ahead = step.nested[kept:]
        failed = [run for run in ahead if kept and run.status is Status.FAILED]
        ahead = [run for run in ahead if run not in failed]
        step.nested[kept:] = failed
        while ahead:
            run = ahead.pop()
            self.runs.pop(run.key, None)
            for document in run.documents.values():
                for phase in document.phases.values():
                    for inner in phase.steps.values():
                        ahead += inner.nested

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
        step.stdout_tail = event.stdout_tail
        step.stdout_first = event.stdout_first
        step.iteration = event.iteration
        step.attempts = event.attempts
        step.outputs = event.outputs
        step.capped = event.capped
        step.hidden = event.hidden
        step.finished = True
        step.loop_values = None
        step.partial = None
        step.process = None
        step.folder = None

    def _outer(self, event: events.JournaledEvent) -> None:
        match event:
            case events.PhaseStarted():
                phases = self.runs[event.run].documents[event.document].phases
                phases.setdefault(event.phase, PhaseRecord(event.time))
            case events.DocumentStarted():
                documents = self.runs[event.run].documents
                documents.setdefault(event.document, DocumentRecord(event.time))
            case events.PhaseFinished() | events.DocumentFinished() | events.RunFinished():
                self._finished(event)
            case events.RunStarted():
                self._run_started(event)
            case events.RunInterrupted():
                run = self.runs[event.run]
                run.interrupted_by = event.signal
                run.end_time = event.time
            case events.RunResumed():
                self._run_resumed()
            case events.ContextRead():
                self.context[event.key] = event.value
            case _:
                raise AssertionError(event)

    def _finished(
        self, event: events.RunFinished | events.DocumentFinished | events.PhaseFinished
    ) -> None:
        record: RunRecord | DocumentRecord | PhaseRecord = self.runs[event.run]
        if not isinstance(event, events.RunFinished):
            document = self.runs[event.run].documents[event.document]
            record = document
            if isinstance(event, events.PhaseFinished):
                record = document.phases[event.phase]
        record.end_time = event.time
        record.status = Status(event.status)
        record.message = event.message
        record.finished = True

    def _run_resumed(self) -> None:
        self.boot = None
        for run in self.runs.values():
            run.interrupted_by = None
            if not run.finished:
                run.end_time = ""

    def _run_started(self, event: events.RunStarted) -> None:
        record = self.runs[event.run] = RunRecord(event.run, event.execution_id, event.time)
        record.sources = [events.Source._make(source) for source in event.sources]
        outer, _, address = event.run.rpartition("/")
        if address:
            document, phase, step = (int(part) for part in address.partition("#")[0].split("."))
            self.step(outer, document, phase, step).nested.append(record)


def _note(step: StepRecord, event: _Noted) -> None:
    match event:
        case events.InputsResolved():
            step.set_inputs(event.inputs)
        case events.BranchTaken():
            step.branch = event.branch
            step.explanation = event.explanation
        case events.ProcessStarted():
            step.process = (event.pid, event.identity)
        case events.FolderMade():
            step.folder = event.path
        case events.ListRead():
            step.loop_values = event.values
