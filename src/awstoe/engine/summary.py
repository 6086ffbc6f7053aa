"""Summarizes a run: what ``run`` prints, and the outputs of ExecuteDocument. Pure."""

from typing import NamedTuple

from awstoe.engine.plan import Plan
from awstoe.engine.records import RunRecord, Status, StepRecord, counts
from awstoe.expressions.values import Value


class Place(NamedTuple):
    """A step that failed, by the names of its document and phase."""

    document: str
    phase: str
    step: str
    iteration: str = ""
    """The iteration that failed, as text; empty without a loop."""

    def text(self) -> str:
        """Return the place within its document as text."""
        return f"Phase '{self.phase}', step '{self.step}'"


class StepFailure(NamedTuple):
    """One failed step, for the ``failures`` of the summary."""

    place: Place
    exit_code: int | None
    message: str
    stderr_tail: str = ""
    stdout_tail: str = ""
    stdout_first: bool = False
    above: tuple[Place, ...] = ()
    """The ExecuteDocument steps that the step is nested in, from the top."""

    @property
    def document(self) -> str:
        """The document of the run that the failure is in."""
        return (*self.above, self.place)[0].document

    def text(self) -> str:
        """Return the failure as text, with the last lines of the output."""
        place = self.place.text()
        if self.above:
            outer = [
                f"{each.text()}, {each.iteration}" if each.iteration else each.text()
                for each in self.above
            ]
            documents = [each.document for each in (*self.above[1:], self.place)]
            inner = zip(documents, (*outer[1:], place), strict=True)
            place = " -> ".join([outer[0], *(f"{name}: {text}" for name, text in inner)])
        text = f"{place}: {self.message}"
        tails = [("stderr", self.stderr_tail), ("stdout", self.stdout_tail)]
        for stream, tail in reversed(tails) if self.stdout_first else tails:
            if tail and not self._quotes(tail):
                text += f"\nLast lines of {stream}:\n{tail}"
        return text

    def _quotes(self, tail: str) -> bool:
        """Whether the message quotes all of ``tail``: often that is one line."""
        line = " ".join(tail.split())
        if line.startswith("/"):  # bash names the script, and the message leaves that out
            line = line.partition(": ")[2] or line
        return "\n" not in tail and line in self.message

    def as_json(self) -> dict[str, object]:
        """Return the entry of ``failures``: the keys of older versions, then the later ones."""
        places = (*self.above, self.place)
        return {
            "document": self.place.document,
            "phase": self.place.phase,
            "step": self.place.step,
            "exitCode": self.exit_code,
            "message": self.message,
            "stderrTail": self.stderr_tail,
            "stdoutTail": self.stdout_tail,
            "path": [place._asdict() for place in places],
        }


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
            "failures": [failure.as_json() for failure in (*self.failures, *stopped)],
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
    failures: list[StepFailure] = []
    paths = []
    where = ""
    stopped_step = None
    for document_index, document in record.documents.items():
        model = plan.documents[document_index].document
        for phase_index, phase in document.phases.items():
            for step_index, step in phase.steps.items():
                phase_model = model.phases[phase_index]
                name = phase_model.steps[step_index].name
                place = Place(model.path, phase_model.name, name, step.iteration)
                if step.finished and step.status is Status.FAILED:
                    failures += _failures(place, step)
                elif not step.finished:
                    where = f"Phase '{phase_model.name}', step '{name}': "
                    stopped_step = _stopped(place, step, reason)
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


def _stopped(place: Place, step: StepRecord, reason: str) -> StepFailure:
    """Return the failure of a step that was running: of the step in the document that it ran."""
    for run in step.nested[-1:]:
        if run.plan is not None and not step.hidden:
            inner = summary(run, run.plan, log_url="", reason=reason).stopped_step
            if inner is not None:
                return inner._replace(above=(place, *inner.above))
    return StepFailure(place, None, reason)


def _more(parts: list[str]) -> str:
    return "".join(f"\n{part}" for part in parts[2:])


def _failures(place: Place, step: StepRecord) -> list[StepFailure]:
    """Return why a step failed: the steps that failed in the documents that it ran, or itself."""
    found = [
        failure._replace(above=(place, *failure.above))
        for run in step.nested
        if run.plan is not None and run.status is Status.FAILED and not step.hidden
        for failure in summary(run, run.plan, log_url="").failures
    ]
    if found:
        return found
    return [
        StepFailure(
            place,
            step.exit_code,
            step.message,
            step.stderr_tail,
            step.stdout_tail,
            step.stdout_first,
        )
    ]
