"""detailedoutput.json and chaining.json: the records of a run as AWSTOE shows them.

Both are replaced as a whole (write beside, rename), so they are valid JSON at every moment. They
may lag behind the journal: they are rewritten when the last rewrite took less than a fixed share of
the time passed since, so a run's cost per step does not grow with its length. A finished step is
rendered once.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping

from awstoe import limits
from awstoe.document.model import Step
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
from awstoe.errors import HostError, RecordError
from awstoe.host.files.own_files import replace_file

DETAILED = "detailedoutput.json"
CHAINING = "chaining.json"

_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 15: "SIGTERM", 21: "SIGBREAK"}


class RecordWriter:
    """Writes the two files; implements the engine's ``RecordFiles``.

    Args:
        folder: The run's log folder.
        records: The records to show.
        redact: Takes secrets out of a text.
    """

    def __init__(
        self, folder: str, records: Records, redact: Callable[[str], str] = lambda text: text
    ) -> None:
        self._detailed = os.path.join(folder, DETAILED)
        self._chaining = os.path.join(folder, CHAINING)
        self._records = records
        self._redact = redact
        self._cost = 0.0
        self._written_at = 0.0

    def update(self) -> None:
        """See ``RecordFiles``."""
        self._write_within(limits.RECORD_REWRITE_SHARE)

    def failed(self) -> None:
        """See ``RecordFiles``."""
        self._write_within(limits.RECORD_REWRITE_SHARE_AT_FAILURE)

    def _write_within(self, share: float) -> None:
        since = time.monotonic() - self._written_at
        if self._cost < share * since:
            self.write()

    def write(self) -> None:
        """See ``RecordFiles``."""
        run = self._records.runs.get("")
        if run is None or run.plan is None:
            return
        start = time.monotonic()
        try:
            replace_file(self._detailed, [_encoded(self._redact(detailed_output(run, run.plan)))])
            replace_file(self._chaining, [_encoded(self._redact(_chaining_text(run, run.plan)))])
        except HostError as error:
            raise RecordError(error.message, hint=error.hint) from error
        self._written_at = time.monotonic()
        self._cost = self._written_at - start


def _encoded(text: str) -> bytes:
    """``text`` as UTF-8; the undecodable bytes of a path or a variable as JSON's escapes."""
    return text.encode(errors="backslashreplace")


# --- detailedoutput.json -------------------------------------------------------------------------


def detailed_output(run: RunRecord, plan: Plan) -> str:
    """Return the text of detailedoutput.json for ``run``, without a final newline."""
    documents = [_document(plan, index, record, run) for index, record in run.documents.items()]
    head = {
        "executionId": run.execution_id,
        "status": _status(run.status, run),
        "startTime": run.start_time,
        "endTime": run.end_time,
        "failureMessage": run.message or _interruption(run),
    }
    return _object(head, "documents", documents, 0)


def _document(plan: Plan, index: int, record: DocumentRecord, run: RunRecord) -> str:
    document = plan.documents[index].document
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
        _phase(document.phases[phase].name, document.phases[phase].steps, item, run)
        for phase, item in record.phases.items()
    ]
    return _object(head, "phases", phases, 2)


def _phase(name: str, steps: tuple[Step, ...], record: PhaseRecord, run: RunRecord) -> str:
    head = {
        "name": name,
        "status": _status(record.status, run),
        "startTime": record.start_time,
        "endTime": record.end_time,
        "failureMessage": record.message,
    }
    return _object(head, "steps", [_step(steps[i], r, run) for i, r in record.steps.items()], 4)


def _step(step: Step, record: StepRecord, run: RunRecord) -> str:
    if record.rendered is not None:
        return record.rendered
    message = record.message
    if not record.finished:
        message = _interruption(run)
    text = _indented(
        {
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
            "detailedOutput": [
                json.loads(detailed_output(nested, plan)) for nested, plan in _nested(step, record)
            ]
            or None,
        },
        6,
    )
    if record.finished:
        record.rendered = text
    return text


def _inputs(step: Step, record: StepRecord) -> str:
    """The inputs with references resolved; as the document has them when nothing may be told."""
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


def _object(head: Mapping[str, object], key: str, items: list[str], level: int) -> str:
    """An object whose last key holds rendered items; ``level`` is its depth in indents."""
    inner = "    " * (level + 1)
    text = _indented(head, level)
    cut = text.rindex("\n")
    if not items:
        return f'{text[:cut]},\n{inner}"{key}": []{text[cut:]}'
    deep = "    " * (level + 2)
    joined = f",\n{deep}".join(items)
    return f'{text[:cut]},\n{inner}"{key}": [\n{deep}{joined}\n{inner}]{text[cut:]}'


def _indented(value: object, level: int) -> str:
    """``value`` as indented JSON whose first line stands at depth ``level``."""
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
