"""What the engine tells, in the words of AWSTOE's logs.

The wording and the order are those of a real run (see docs/outputs.md): scripts parse them. Lines
of ours stand only where AWSTOE's logs are silent: conditions, iterations, resuming.
"""

import os
import time

from awstoe.engine.plan import Plan
from awstoe.reporting.progress import Progress
from awstoe.reporting.run_log import LogFiles

_GOOD = ("success", "skipped", "ignoredFailure", "successWithIgnoredFailure")


class LogReporter:
    """Writes what the engine tells into the logs; implements the engine's ``Narrator``.

    Args:
        log: The logs.
        folder: The log folder as the logs name it.
        viewer: Is told the same turns.
    """

    def __init__(self, log: LogFiles, folder: str, viewer: Progress) -> None:
        self._log = log
        self._viewer = viewer
        detailed = os.path.join(folder, "detailedoutput.json")
        chaining = os.path.join(folder, "chaining.json")
        self._detailed = f"Updated detailed output file at {detailed}"
        self._chaining = f"Updated chaining file at {chaining}"
        self._started = time.monotonic()

    def run_started(self, plan: Plan) -> None:
        """See ``Narrator``."""
        del plan
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

    def run_resumed(self) -> None:
        """See ``Narrator``."""
        self._log.info("Executor: the run is resumed after an interruption")

    def document_started(self, index: int, path: str) -> None:
        """See ``Narrator``."""
        del index
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

    def phase_started(self, index: int, path: str, phase: str) -> None:
        """See ``Narrator``."""
        del index
        self._viewer.phase(path, phase)
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

    def step_started(self, phase: str, step: str, action: str) -> None:
        """See ``Narrator``."""
        self._viewer.step(phase, step, action)
        self._log.debug_all(
            (
                f"Executor: STARTED STEP {step} in PHASE {phase}",
                "Executor: Initializing current step attempt count with 1 in the state utils for"
                f" step {step}",
            )
        )
        self._log.info(f"Step {step}")
        self._log.debug(f"Executor: Starting point of step execution: Step - {step}")

    def branch_taken(self, step: str, branch: str, explanation: str) -> None:
        """See ``Narrator``."""
        self._log.info(f"Executor: the 'if' of step {step} leads to {branch}: {explanation}")

    def inputs_resolved(self, step: str, before: str, after: str) -> None:
        """See ``Narrator``."""
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

    def attempt_started(self, step: str, attempt: int, of: int, timeout: int, loop: str) -> None:
        """See ``Narrator``."""
        self._viewer.attempt(attempt, of)
        lines = []
        if attempt == 1:
            lines.append(f"Executor: MaxAttempts set to {of}")
            lines.append(f"Executor: Timeout set to {timeout} seconds")
        lines.append(f"Executor: Attempt {attempt}/{of}")
        if timeout >= 0:
            lines.append(f"Executor: Execution deadline set to {self._deadline(timeout)}")
        if loop:
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

    def iteration_started(self, step: str, index: int) -> None:
        """See ``Narrator``."""
        self._viewer.iteration(index)
        self._log.info(f"Executor: iteration {index} of the loop of step {step}")

    def attempt_finished(self, step: str, failure: str, *, again: bool) -> None:
        """See ``Narrator``."""
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

    def step_finished(
        self, place: tuple[str, str], status: str, outputs: str, failure: str
    ) -> None:
        """See ``Narrator``."""
        phase, step = place
        self._viewer.step_end(phase, step, status, failure)
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

    def phase_finished(self, path: str, phase: str, status: str) -> None:
        """See ``Narrator``."""
        good = status in _GOOD
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

    def document_finished(self, path: str, status: str) -> None:
        """See ``Narrator``."""
        code = 0 if status in _GOOD else 1
        self._log.debug_all(
            (
                f"Executor: Completed execution of document {path}",
                self._detailed,
                f"Executor: FINISHED EXECUTION OF DOCUMENT {path} with final documentLevelExitCode"
                f" {code}",
            )
        )

    def run_finished(self, depth: int, status: str, reason: str) -> None:
        """See ``Narrator``."""
        good = status in _GOOD and not reason
        self._log.debug_all(
            (
                "Executor: Completed execution loop. Entering concluding information...",
                self._detailed,
                "Executor: Finished entering concluding information",
                f"Executor: Final executionLevelExitCode {0 if good else 1}",
                "Executor: FINISHED EXECUTION OF ALL DOCUMENTS",
            )
        )
        if depth:
            return
        if reason:
            self._log.info(f"Executor: [ ERROR ] {reason}")
        if good:
            self._log.info("TOE has completed execution successfully")
        else:
            self._log.info("TOE has completed execution with failure - Execution failed!")
