"""Writes what happens in a run into the logs, in the words of AWSTOE's logs.

The wording and the order are those of a real run (see docs/outputs.md): scripts parse them. Lines
of our own appear only where AWSTOE logs nothing: conditions, iterations, resuming. Lines of AWSTOE
about what awstoe does not do, or does at another time, are left out.
"""

import time
from collections.abc import Iterable, Mapping

from awstoe.document.model import Document, Step
from awstoe.engine import events
from awstoe.engine.events import StepAddress, encode
from awstoe.engine.records import (
    DocumentRecord,
    PhaseRecord,
    Records,
    RunRecord,
    Status,
    StepRecord,
)
from awstoe.expressions.loops import ForLoop
from awstoe.reporting.progress import Progress
from awstoe.reporting.run_log import LogFiles

_HIDDEN = "(not logged)"
_GOOD = ("success", "skipped", "ignoredFailure", "successWithIgnoredFailure")

_OuterEvent = (
    events.RunStarted
    | events.RunResumed
    | events.RunFinished
    | events.RunStopped
    | events.DocumentStarted
    | events.DocumentFinished
    | events.PhaseStarted
    | events.PhaseFinished
)
_StepEvent = (
    events.StepStarted
    | events.BranchTaken
    | events.InputsResolved
    | events.ActionStarted
    | events.IterationStarted
    | events.AttemptFinished
    | events.StepFinished
)


class LogReporter:
    """Writes a run's events into the logs and passes them on; the engine's ``RunObserver``.

    Args:
        log: The logs.
        progress: Shows the same events on standard error.
        records: Know the documents, phases and steps that events refer to.
    """

    def __init__(self, log: LogFiles, progress: Progress, records: Records) -> None:
        self._log = log
        self._progress = progress
        self._records = records
        self._in_action: set[StepAddress] = set()
        self._started = time.monotonic()

    def on_event(self, event: events.Event) -> None:
        if isinstance(event, _StepEvent):
            self._on_step_event(event)
        elif isinstance(event, _OuterEvent):
            self._on_outer_event(event)

    def _on_outer_event(self, event: _OuterEvent) -> None:
        match event:
            case events.PhaseStarted():
                self._phase_started(event)
            case events.PhaseFinished():
                self._phase_finished(event)
            case events.DocumentStarted():
                self._document_started(event)
            case events.DocumentFinished():
                self._document_finished(self._document(event), event.status)
            case events.RunStarted():
                self._run_started(event)
            case events.RunResumed():
                self._log.info("Executor: the run is resumed after an interruption")
            case events.RunFinished():
                self._run_finished(event.run, good=event.status in _GOOD)
            case events.RunStopped():
                self._log.info(f"Executor: [ ERROR ] {event.reason}")
                self._end(good=False)

    def _on_step_event(self, event: _StepEvent) -> None:
        phase = self._document(event).phases[event.phase]
        step = phase.steps[event.step]
        match event:
            case events.StepStarted():
                attempts = self._records.step(*_address(event)).attempts
                self._step_started(phase.name, step, max(attempts, 1))
            case events.InputsResolved():
                self._in_action.add(_address(event))
                self._inputs_resolved(step, event.inputs)
            case events.ActionStarted():
                self._action_started(step, event)
            case events.AttemptFinished():
                self._attempt_finished(step.name, event.failure, again=event.again)
            case events.StepFinished():
                self._step_finished(phase.name, step.name, event)
            case events.IterationStarted():
                self._progress.iteration(event.iteration)
                self._log.info(
                    f"Executor: iteration {event.iteration} of the loop of step {step.name}"
                )
            case events.BranchTaken():
                self._log.info(
                    f"Executor: the 'if' of step {step.name} leads to {event.branch}:"
                    f" {event.explanation}"
                )

    def _document(
        self,
        event: _StepEvent
        | events.PhaseStarted
        | events.PhaseFinished
        | events.DocumentStarted
        | events.DocumentFinished,
    ) -> Document:
        return self._records.plan(event.run).documents[event.document].document

    def _run_started(self, event: events.RunStarted) -> None:
        run = self._records.runs[event.run]
        document, phase, step = _position(run)
        failed = [Status.FAILED in _statuses(run.documents.values())]
        current = run.documents.get(document)
        failed.append(current is not None and Status.FAILED in _statuses(current.phases.values()))
        inner = current.phases.get(phase) if current is not None else None
        failed.append(inner is not None and Status.FAILED in _statuses(inner.steps.values()))
        of_all, of_document, of_phase = (str(each).lower() for each in failed)
        self._log.debug_all(
            (
                "Executor: STARTED EXECUTION OF ALL DOCUMENTS",
                "Executor: Initializing Executor...",
                "Executor: Initialized executor!",
                "Executor: Retrieved current step",
                f"Executor: executionLevelExitCode before commencement - {int(any(failed))}",
                "Executor: Commencing execution of given documents...",
                "Executor: Proceeding with TOE execution as per given state: Document ="
                f" {document}, PhaseIndex = {phase}, StepIndex = {step},"
                f" isFinalExecutionStatusFailed = {of_all},"
                f" isFinalDocumentStatusFailed = {of_document},"
                f" isFinalPhaseStatusFailed = {of_phase}",
            )
        )

    def _document_started(self, event: events.DocumentStarted) -> None:
        path = self._document(event).path
        record = self._records.runs[event.run].documents[event.document]
        phase, step = _position_in(record)
        failed = Status.FAILED in _statuses(record.phases.values())
        self._log.debug_all(
            (
                f"Executor: Currently running document {path} with phaseIndex {phase} and stepIndex"
                f" {step}",
                f"Executor: STARTED EXECUTION OF DOCUMENT {path}",
            )
        )
        self._log.info(f"Document {path}")
        self._log.debug_all(
            (
                f"Executor: Starting point of document execution: Document - {path},"
                f" FromPhaseIndex - {phase}, FromStepIndex - {step}",
                f"Executor: documentLevelExitCode before commencement - {int(failed)}",
                f"Executor: Commencing execution of document {path}...",
            )
        )

    def _phase_started(self, event: events.PhaseStarted) -> None:
        document = self._document(event)
        path = document.path
        phase = document.phases[event.phase].name
        record = self._records.runs[event.run].documents[event.document].phases[event.phase]
        failed = Status.FAILED in _statuses(record.steps.values())
        self._progress.phase(path, phase)
        self._log.debug(f"Executor: STARTED PHASE {phase} IN DOCUMENT {path}")
        self._log.info(f"Phase {phase}")
        self._log.debug_all(
            (
                f"Executor: Starting point of phase execution: DocumentIndex - {path},"
                f" phaseName - {phase}, FromStepIndex - {_finished(record.steps)}",
                f"Executor: phaseLevelExitCode before commencement - {int(failed)}",
                f"Executor: Commencing execution of phase {phase}...",
            )
        )

    def _step_started(self, phase: str, model: Step, attempt: int) -> None:
        step = model.name
        self._progress.step(phase, step, model.action)
        self._log.debug_all(
            (
                f"Executor: STARTED STEP {step} in PHASE {phase}",
                f"Executor: Initializing current step attempt count with {attempt} in the state"
                f" utils for step {step}",
            )
        )
        self._log.info(f"Step {step}")
        self._log.debug(f"Executor: Starting point of step execution: Step - {step}")

    def _inputs_resolved(self, model: Step, inputs: str) -> None:
        step = model.name
        before = encode([dict(operation) for operation in model.operations])
        after = _HIDDEN if model.disable_logging else inputs
        self._log.debug_all(
            (
                f"Executor: Before resolving parameter inputs {before} of step {step}.",
                f"Executor: Before unchaining inputs {before} of step {step}...",
                "Chaining: STARTED PROCESS FOR UNCHAINING",
                "Chaining: FINISHED PROCESS FOR UNCHAINING",
                f"Executor: after unchaining inputs {after} of step {step}...",
                f"Executor: After unchaining, before resolving parameter inputs {after} of step"
                f" {step}.",
                f"Executor: After parameter resolve inputs {after} of step {step}.",
                f"Executor: Updated inputs of currentStep {step} to {after}",
                f"Executor: Currently running: Step {step}",
                "Executor: STARTED ACTION MODULE",
            )
        )

    def _action_started(self, model: Step, event: events.ActionStarted) -> None:
        step, of, timeout = model.name, model.max_attempts, model.timeout_seconds
        self._progress.attempt(event.attempt, of)
        lines = []
        if event.attempt == 1:
            lines.append(f"Executor: MaxAttempts set to {of}")
            lines.append(f"Executor: Timeout set to {timeout} seconds")
        lines.append(f"Executor: Attempt {event.attempt}/{of}")
        if timeout >= 0:
            lines.append(f"Executor: Execution deadline set to {self._deadline(timeout)}")
        if event.iterations is not None:
            kind = "for" if isinstance(model.loop, ForLoop) else "forEach"
            loop = f"{kind} with {event.iterations} iterations"
            lines.append(f"Executor: Commencing iterative execution of step {step}: {loop}")
        else:
            lines.append(f"Executor: Commencing non-iterative execution of step {step}")
            lines.append("Executor: Executing step's inputs")
        self._log.debug_all(lines)

    def _deadline(self, timeout: int) -> str:
        at = time.time_ns() + timeout * 1_000_000_000
        second, fraction = divmod(at, 1_000_000_000)
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        since_start = time.monotonic() - self._started + timeout
        return f"{clock}.{fraction:09d} +0000 UTC m=+{since_start:.9f}"

    def _attempt_finished(self, step: str, failure: str, *, again: bool) -> None:
        if not failure:
            self._log.debug_all(
                (
                    "Executor: Finished executing step's inputs",
                    f"Executor: Consolidating outputs of step {step}",
                    f"Executor: Not going to execute step {step} again as final exit code is 0",
                )
            )
            return
        self._log.info(f"Executor: [ ERROR ] step {step}: {failure}")
        if again:
            self._log.debug(f"Executor: Going to execute step {step} again")

    def _step_finished(self, phase: str, step: str, event: events.StepFinished) -> None:
        status, failure = event.status, event.message
        outputs = "[]" if event.hidden else encode(event.outputs)
        self._progress.step_end(phase, step, status, failure)
        good = status in _GOOD
        code = 0 if status in ("success", "skipped") else 1
        word = "success" if good else "failure"
        if failure and status == "ignoredFailure":
            self._log.info(f"Executor: the failure of step {step} is ignored")
        address = _address(event)
        if address in self._in_action:  # not if the step was skipped, or its 'if' failed
            self._in_action.remove(address)
            self._log.debug("Executor: FINISHED ACTION MODULE")
        self._log.debug_all(
            (
                f"Executor: Step results - Results {outputs}, Exit code {code}, Error"
                f" {failure or '<nil>'}",
                f"Executor: Updated outputs of currentStep to {outputs}",
                f"Executor: Returning {word} code from step {step}",
                f"Executor: FINISHED STEP {step} in PHASE {phase}",
                f"Executor: Received exit code {word.title()} from step {step}",
            )
        )

    def _phase_finished(self, event: events.PhaseFinished) -> None:
        document = self._document(event)
        path = document.path
        phase = document.phases[event.phase].name
        good = event.status in _GOOD
        self._log.debug_all(
            (
                f"Executor: Completed phase {phase}",
                f"Executor: FINISHED PHASE {phase} IN DOCUMENT {path} with final"
                f" phaseLevelExitCode {0 if good else 1}",
                f"Executor: Received exit code {'Success' if good else 'Failure'} from phase"
                f" {phase}",
            )
        )

    def _document_finished(self, document: Document, status: str) -> None:
        path = document.path
        code = 0 if status in _GOOD else 1
        self._log.debug_all(
            (
                f"Executor: Completed execution of document {path}",
                f"Executor: FINISHED EXECUTION OF DOCUMENT {path} with final documentLevelExitCode"
                f" {code}",
            )
        )

    def _run_finished(self, run: str, *, good: bool) -> None:
        self._log.debug_all(
            (
                "Executor: Completed execution loop. Entering concluding information...",
                "Executor: Finished entering concluding information",
                f"Executor: Final executionLevelExitCode {0 if good else 1}",
                "Executor: FINISHED EXECUTION OF ALL DOCUMENTS",
            )
        )
        if not run:  # not a nested one
            self._end(good=good)

    def _end(self, *, good: bool) -> None:
        if good:
            self._log.info("TOE has completed execution successfully")
        else:
            self._log.info("TOE has completed execution with failure - Execution failed!")


# --- where a run starts or continues -------------------------------------------------------------


def _address(event: _StepEvent) -> StepAddress:
    return StepAddress(event.run, event.document, event.phase, event.step)


def _finished(records: Mapping[int, DocumentRecord | PhaseRecord | StepRecord]) -> int:
    """Return the index of the first item that has not finished."""
    return max((index + 1 for index, record in records.items() if record.finished), default=0)


def _position(run: RunRecord) -> tuple[int, int, int]:
    """Return the indices of the document, phase and step with which a run continues."""
    document = _finished(run.documents)
    return document, *_position_in(run.documents.get(document))


def _position_in(document: DocumentRecord | None) -> tuple[int, int]:
    """Return the indices of the phase and step with which a document continues."""
    if document is None:
        return 0, 0
    phase = _finished(document.phases)
    return phase, _finished(document.phases[phase].steps) if phase in document.phases else 0


def _statuses(records: Iterable[DocumentRecord | PhaseRecord | StepRecord]) -> set[Status]:
    return {record.status for record in records}
