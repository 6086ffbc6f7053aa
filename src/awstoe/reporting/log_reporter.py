"""Writes what happens in a run into the logs, in the words of AWSTOE's logs.

The wording and the order are those of a real run (see docs/outputs.md): scripts parse them. Lines
of our own appear only where AWSTOE logs nothing: conditions, iterations, resuming.
"""

import os
import time

from awstoe.document.model import Document, Step
from awstoe.engine import events
from awstoe.engine.events import encode
from awstoe.engine.records import Records
from awstoe.expressions.loops import ForLoop
from awstoe.reporting.progress import Progress
from awstoe.reporting.run_log import LogFiles

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
        folder: The log folder as the logs name it.
        progress: Shows the same events on standard error.
        records: Know the documents, phases and steps that events refer to.
    """

    def __init__(self, log: LogFiles, folder: str, progress: Progress, records: Records) -> None:
        self._log = log
        self._progress = progress
        self._records = records
        detailed = os.path.join(folder, "detailedoutput.json")
        chaining = os.path.join(folder, "chaining.json")
        self._detailed = f"Updated detailed output file at {detailed}"
        self._chaining = f"Updated chaining file at {chaining}"
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
                self._document_started(self._document(event))
            case events.DocumentFinished():
                self._document_finished(self._document(event), event.status)
            case events.RunStarted():
                self._run_started()
            case events.RunResumed():
                self._log.info("Executor: the run is resumed after an interruption")
            case events.RunFinished():
                self._run_finished(event.run, good=event.status in _GOOD)
            case events.RunStopped():
                self._run_finished(event.run, good=False, reason=event.reason)

    def _on_step_event(self, event: _StepEvent) -> None:
        phase = self._document(event).phases[event.phase]
        step = phase.steps[event.step]
        match event:
            case events.StepStarted():
                self._step_started(phase.name, step)
            case events.InputsResolved():
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

    def _run_started(self) -> None:
        self._log.debug_all(
            (
                "Executor: STARTED EXECUTION OF ALL DOCUMENTS",
                "Executor: Initializing Executor...",
                "Executor: Initialized executor!",
                "Executor: Retrieved current step",
                "Executor: executionLevelExitCode before commencement - 0",
                self._detailed,
                "Executor: Commencing execution of given documents...",
                "Executor: Proceeding with TOE execution as per given state: Document = 0,"
                " PhaseIndex = 0, StepIndex = 0, isFinalExecutionStatusFailed = false,"
                " isFinalDocumentStatusFailed = false, isFinalPhaseStatusFailed = false",
            )
        )

    def _document_started(self, document: Document) -> None:
        path = document.path
        self._log.debug_all(
            (
                f"Executor: Currently running document {path} with phaseIndex 0 and stepIndex 0",
                f"Executor: STARTED EXECUTION OF DOCUMENT {path}",
            )
        )
        self._log.info(f"Document {path}")
        self._log.debug_all(
            (
                f"Executor: Starting point of document execution: Document - {path},"
                " FromPhaseIndex - 0, FromStepIndex - 0",
                "Executor: documentLevelExitCode before commencement - 0",
                self._detailed,
                f"Executor: Commencing execution of document {path}...",
            )
        )

    def _phase_started(self, event: events.PhaseStarted) -> None:
        document = self._document(event)
        path = document.path
        phase = document.phases[event.phase].name
        self._progress.phase(path, phase)
        self._log.debug(f"Executor: STARTED PHASE {phase} IN DOCUMENT {path}")
        self._log.info(f"Phase {phase}")
        self._log.debug_all(
            (
                f"Executor: Starting point of phase execution: DocumentIndex - {path},"
                f" phaseName - {phase}, FromStepIndex - 0",
                "Executor: phaseLevelExitCode before commencement - 0",
                self._detailed,
                f"Executor: Commencing execution of phase {phase}...",
            )
        )

    def _step_started(self, phase: str, model: Step) -> None:
        step = model.name
        self._progress.step(phase, step, model.action)
        self._log.debug_all(
            (
                f"Executor: STARTED STEP {step} in PHASE {phase}",
                "Executor: Initializing current step attempt count with 1 in the state utils for"
                f" step {step}",
            )
        )
        self._log.info(f"Step {step}")
        self._log.debug(f"Executor: Starting point of step execution: Step - {step}")

    def _inputs_resolved(self, model: Step, inputs: str) -> None:
        step = model.name
        before = encode([dict(operation) for operation in model.operations])
        after = before if model.disable_logging else inputs
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
                self._detailed,
                self._chaining,
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
        self._log.debug_all(
            (
                "Executor: FINISHED ACTION MODULE",
                f"Executor: Step results - Results {outputs}, Exit code {code}, Error"
                f" {failure or '<nil>'}",
                self._chaining,
                f"Executor: Updated outputs of currentStep to {outputs}",
                f"Executor: BEFORE UPDATING DETAILEDOUTPUT.JSON - {outputs}",
                self._detailed,
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
                self._detailed,
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
                self._detailed,
                f"Executor: FINISHED EXECUTION OF DOCUMENT {path} with final documentLevelExitCode"
                f" {code}",
            )
        )

    def _run_finished(self, run: str, *, good: bool, reason: str = "") -> None:
        self._log.debug_all(
            (
                "Executor: Completed execution loop. Entering concluding information...",
                self._detailed,
                "Executor: Finished entering concluding information",
                f"Executor: Final executionLevelExitCode {0 if good else 1}",
                "Executor: FINISHED EXECUTION OF ALL DOCUMENTS",
            )
        )
        if run:
            return  # a nested run
        if reason:
            self._log.info(f"Executor: [ ERROR ] {reason}")
        if good:
            self._log.info("TOE has completed execution successfully")
        else:
            self._log.info("TOE has completed execution with failure - Execution failed!")
