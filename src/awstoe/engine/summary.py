"""Summarizes a run: what ``run`` prints, and the outputs of ExecuteDocument. Pure."""

from typing import NamedTuple

from awstoe.engine.plan import Plan
from awstoe.engine.records import RunRecord, Status, StepRecord, counts
from awstoe.expressions.values import Value


class StepFailure(NamedTuple):
    """One failed step, for the ``failures`` of the summary."""

    document: str
    phase: str
    step: str
    exit_code: int | None
    message: str
    stderr_tail: str

    def text(self) -> str:
        """Return the failure as text, with the last lines of standard error."""
        text = f"Phase '{self.phase}', step '{self.step}': {self.message}"
        if self.stderr_tail:
            text += f"\nLast lines of stderr:\n{self.stderr_tail}"
        return text


class Summary(NamedTuple):
    """The outcome of a run."""

    execution_id: str
    status: Status
    failed: int
    executed: int
    ignored: int
    message: str
    log_url: str
    failures: tuple[StepFailure, ...]
    stopped: str = ""
    """Where and why the run was stopped, if it was."""
    stopped_step: StepFailure | None = None
    """The step that was running then. It counts as executed and failed, and runs again on resuming.
    """

    def nested_outputs(self) -> dict[str, Value]:
        """Return the output values of ExecuteDocument, with keys in AWSTOE's order."""
        return {
            "executedStepCount": self.executed,
            "executionId": self.execution_id,
            "failedStepCount": self.failed,
            "failureMessage": self.message,
            "ignoredFailedStepCount": self.ignored,
            "logUrl": self.log_url,
            "status": _outcome(self.status),
        }

    def as_json(self) -> dict[str, object]:
        """Return what ``run`` prints, with keys in AWSTOE's order and our own last."""
        stopped = () if self.stopped_step is None else (self.stopped_step,)
        return {
            "executionId": self.execution_id,
            "status": _outcome(self.status),
            "failedStepCount": self.failed,
            "executedStepCount": self.executed,
            "ignoredFailedStepCount": self.ignored,
            "failureMessage": self.message,
            "logUrl": self.log_url,
            "failures": [
                {
                    "document": failure.document,
                    "phase": failure.phase,
                    "step": failure.step,
                    "exitCode": failure.exit_code,
                    "message": failure.message,
                    "stderrTail": failure.stderr_tail,
                }
                for failure in (*self.failures, *stopped)
            ],
        }


def _outcome(status: Status) -> str:
    """Return ``success``, ``failed``, or ``running`` for a run that waits for a reboot.

    A run whose only failures were ignored is a success.
    """
    if status is Status.RUNNING:
        return status.value
    good = (Status.SUCCESS, Status.SUCCESS_WITH_IGNORED_FAILURE)
    return "success" if status in good else "failed"


def summary(record: RunRecord, plan: Plan, *, log_url: str, reason: str = "") -> Summary:
    """Return the summary of ``record``; ``reason`` is why the run was stopped, if it was."""
    failures = []
    paths = []
    where = ""
    stopped_step = None
    for document_index, document in record.documents.items():
        model = plan.documents[document_index].document
        for phase_index, phase in document.phases.items():
            for step_index, step in phase.steps.items():
                phase_model = model.phases[phase_index]
                name = phase_model.steps[step_index].name
                if step.finished and step.status is Status.FAILED:
                    failures.append(_failure(model.path, phase_model.name, name, step))
                elif not step.finished:
                    where = f"Phase '{phase_model.name}', step '{name}': "
                    stopped_step = StepFailure(model.path, phase_model.name, name, None, reason, "")
        if document.status is Status.FAILED or (reason and not document.finished):
            paths.append(model.path)
    if not reason:  # a step that waits for a reboot
        stopped_step = None
    found = counts(record)
    status = record.status
    parts = [f"Document {paths[0]} failed!"] if paths else []
    if reason:
        status = Status.FAILED
        parts.append(where + reason)
    parts += [failure.text() for failure in failures]
    return Summary(
        execution_id=record.execution_id,
        status=status,
        failed=found.failed + (stopped_step is not None),
        executed=found.executed + (stopped_step is not None),
        ignored=found.ignored,
        message="" if status is not Status.FAILED else " ".join(parts[:2]) + _more(parts),
        log_url=log_url,
        failures=tuple(failures),
        stopped=where + reason if reason else "",
        stopped_step=stopped_step,
    )


def _more(parts: list[str]) -> str:
    return "".join(f"\n{part}" for part in parts[2:])


def _failure(path: str, phase: str, name: str, step: StepRecord) -> StepFailure:
    return StepFailure(path, phase, name, step.exit_code, step.message, step.stderr_tail)
