"""Writes detailedoutput.json and chaining.json: the records of a run as AWSTOE shows them.

Both files are replaced as a whole (written to a new file, then renamed), so they are always valid
JSON. They may lag behind the journal: they are rewritten only if the last rewrite took less than a
fixed share of the time since then, so that the cost per step does not grow with the length of the
run. A finished step is rendered once.
"""

import json
import time
from collections.abc import Iterator, Mapping

from awstoe import limits
from awstoe.document.model import Document, Phase, Step
from awstoe.engine.events import encode
from awstoe.engine.plan import Plan
from awstoe.engine.records import (
    DocumentRecord,
    PhaseRecord,
    Records,
    RunRecord,
    Status,
    StepRecord,
)
from awstoe.reporting.log_folder import LogFolder

DETAILED = "detailedoutput.json"
CHAINING = "chaining.json"

_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 15: "SIGTERM", 21: "SIGBREAK"}


class RecordWriter:
    """Writes the two files; implements the engine's ``RecordFiles``.

    Args:
        folder: The log folder of the run.
        records: The records to show.
    """

    def __init__(self, folder: LogFolder, records: Records) -> None:
        self._folder = folder
        self._records = records
        self._cost = 0.0
        self._written_at = 0.0

    def update(self) -> None:
        self._write_within(limits.RECORD_REWRITE_SHARE)

    def failed(self) -> None:
        self._write_within(limits.RECORD_REWRITE_SHARE_AT_FAILURE)

    def _write_within(self, share: float) -> None:
        since = time.monotonic() - self._written_at
        if self._cost < share * since:
            self.write()

    def write(self) -> None:
        run = self._records.runs.get("")
        if run is None or run.plan is None:
            return
        start = time.monotonic()
        self._folder.replace(DETAILED, [_encoded(detailed_output(run, run.plan))])
        self._folder.replace(CHAINING, [_encoded(_chaining_text(run, run.plan))])
        self._written_at = time.monotonic()
        self._cost = self._written_at - start


def _encoded(text: str) -> bytes:
    """Return ``text`` as UTF-8, with undecodable bytes of a path or a variable as JSON escapes."""
    return text.encode(errors="backslashreplace")


# --- detailedoutput.json -------------------------------------------------------------------------


def detailed_output(run: RunRecord, plan: Plan, level: int = 0) -> str:
    """Return the text of detailedoutput.json for ``run``, without a final newline.

    Args:
        run: The records.
        plan: The plan of ``run``.
        level: The depth of the text in indents: 0, or more for a nested run in its step.
    """
    documents = [
        _document(plan.documents[index].document, record, run, level + 2)
        for index, record in run.documents.items()
    ]
    head = {
        "executionId": run.execution_id,
        "status": _status(run.status, run),
        "startTime": run.start_time,
        "endTime": run.end_time,
        "failureMessage": run.message or _interruption(run),
    }
    return _object(head, "documents", documents, level)


def _document(document: Document, record: DocumentRecord, run: RunRecord, level: int) -> str:
    head = {
        "name": document.name,
        "filePath": document.path,
        "status": _status(record.status, run),
        "description": document.description,
        "startTime": record.start_time,
        "endTime": record.end_time,
        "failureMessage": record.message,
    }
    phases = [
        _phase(document.phases[index], item, run, level + 2)
        for index, item in record.phases.items()
    ]
    return _object(head, "phases", phases, level)


def _phase(phase: Phase, record: PhaseRecord, run: RunRecord, level: int) -> str:
    head = {
        "name": phase.name,
        "status": _status(record.status, run),
        "startTime": record.start_time,
        "endTime": record.end_time,
        "failureMessage": record.message,
    }
    steps = [
        _step(phase.steps[index], item, run, level + 2) for index, item in record.steps.items()
    ]
    return _object(head, "steps", steps, level)


def _step(step: Step, record: StepRecord, run: RunRecord, level: int) -> str:
    if record.rendered is not None:
        return record.rendered
    message = record.message
    if not record.finished:
        message = _interruption(run)
    head = {
        "name": step.name,
        "status": _status(record.status, run),
        "failureMessage": message,
        "timeoutSeconds": step.timeout_seconds,
        "onFailure": step.on_failure,
        "maxAttempts": step.max_attempts,
        "action": step.action,
        "startTime": record.start_time,
        "endTime": record.end_time,
        "inputs": _inputs(step, record),
        "outputs": _outputs(step, record),
        "loop": step.loop_record,
    }
    nested = [detailed_output(inner, plan, level + 2) for inner, plan in _nested(step, record)]
    text = _object(head, "detailedOutput", nested, level, empty="null")
    if record.finished:
        record.rendered = text
    return text


def _inputs(step: Step, record: StepRecord) -> str:
    """Return the inputs with references resolved, or as in the document for a hidden step."""
    if step.disable_logging and record.inputs is not None:
        return encode([dict(operation) for operation in step.operations])
    return record.inputs or "[]"


def _outputs(step: Step, record: StepRecord) -> str:
    return "[]" if step.disable_logging else encode(record.outputs)


def _nested(step: Step, record: StepRecord) -> list[tuple[RunRecord, Plan]]:
    """Return the nested runs to show: those that have started, if the step may be logged."""
    if step.disable_logging:
        return []
    return [(run, run.plan) for run in record.nested if run.plan is not None]


def _status(status: Status, run: RunRecord) -> str:
    if status is Status.RUNNING and run.interrupted_by is not None:
        return Status.FAILED
    return status


def _interruption(run: RunRecord) -> str:
    if run.interrupted_by is None:
        return ""
    return f"Interrupted by {_SIGNALS.get(run.interrupted_by, f'signal {run.interrupted_by}')}."


def _object(
    head: Mapping[str, object], key: str, items: list[str], level: int, *, empty: str = "[]"
) -> str:
    """Return an object whose last key holds rendered items; ``level`` is its depth in indents."""
    inner = "    " * (level + 1)
    text = _indented(head, level)
    cut = text.rindex("\n")
    if not items:
        return f'{text[:cut]},\n{inner}"{key}": {empty}{text[cut:]}'
    deep = "    " * (level + 2)
    joined = f",\n{deep}".join(items)
    return f'{text[:cut]},\n{inner}"{key}": [\n{deep}{joined}\n{inner}]{text[cut:]}'


def _indented(value: object, level: int) -> str:
    """Return ``value`` as indented JSON whose first line is at depth ``level``."""
    text = json.dumps(value, ensure_ascii=False, indent=4)
    return text.replace("\n", "\n" + "    " * level) if level else text


# --- chaining.json -------------------------------------------------------------------------------


def _chaining_text(run: RunRecord, plan: Plan) -> str:
    return json.dumps(chaining(run, plan), ensure_ascii=False, indent=4)


def chaining(run: RunRecord, plan: Plan) -> list[object]:
    """Return the content of chaining.json for ``run``: one entry per document."""
    entries: list[object] = []
    for index, item in enumerate(plan.documents):
        record = run.documents.get(index)
        phases = [
            {
                "name": phase.name,
                "isSelected": item.selected[phase_index],
                "steps": list(_chained_steps(phase.steps, record, phase_index)),
            }
            for phase_index, phase in enumerate(item.document.phases)
        ]
        entries.append({"phases": phases})
    return entries


def _chained_steps(
    steps: tuple[Step, ...], document: DocumentRecord | None, phase: int
) -> Iterator[dict[str, object]]:
    records = document.phases[phase].steps if document and phase in document.phases else {}
    for index, step in enumerate(steps):
        record = records.get(index)
        shown = _nested(step, record) if record else []
        nested = [entry for run, plan in shown for entry in chaining(run, plan)]
        yield {
            "name": step.name,
            "inputs": _inputs(step, record) if record and record.inputs is not None else None,
            "outputs": _outputs(step, record) if record and record.finished else None,
            "loop": step.loop_record,
            "documents": nested or None,
        }
