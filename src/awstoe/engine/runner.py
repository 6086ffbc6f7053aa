"""Runs documents: the order of documents, phases and steps, and what a failure stops.

The same code starts a run and resumes one: what has finished according to the records is not run
again.
"""

from collections.abc import Iterable, Mapping

from awstoe import limits
from awstoe.actions.contract import NestedRun
from awstoe.document import variables
from awstoe.document.model import OnFailure
from awstoe.document.problems import Severity
from awstoe.document.source import SourceError
from awstoe.engine import events
from awstoe.engine.events import StepAddress
from awstoe.engine.execution import Execution, Services
from awstoe.engine.plan import Plan, PlannedDocument, planned, select
from awstoe.engine.records import DocumentRecord, PhaseRecord, RunRecord, Status
from awstoe.engine.resume import source
from awstoe.engine.step import StepRunner
from awstoe.engine.summary import summary
from awstoe.errors import ActionError, AwstoeError, Interrupted, RecordError
from awstoe.expressions.values import Value


class Runner:
    """Runs one plan.

    Args:
        execution: The records and services.
        plan: What to run.
        key: The run's key in the records; empty for the top run.
    """

    def __init__(self, execution: Execution, plan: Plan, key: str = "") -> None:
        self._execution = execution
        self._services = execution.services
        self._plan = plan
        self._key = key

    def run(self) -> RunRecord:
        """Run all documents, or continue a resumed run.

        Raises:
            Interrupted: A signal stopped the run, as the records show.
            RecordError: Logs, records or state cannot be written.
        """
        execution = self._execution
        sources = [source(item) for item in self._plan.documents] if self._key else []
        execution.emit(events.RunStarted(self._key, self._plan.execution_id, self._now(), sources))
        record = execution.records.runs[self._key]
        record.plan = self._plan
        record.sources = []  # the journal has them; a loop may run a large document very often
        try:
            for index in range(len(self._plan.documents)):
                if self._document(record, index):
                    break
        except Interrupted as interruption:
            signal = interruption.signal_number
            execution.emit(events.RunInterrupted(self._key, self._now(), signal))
            raise
        status = _overall(document.status for document in record.documents.values())
        message = "" if status is not Status.FAILED else _first_failure(record)
        execution.emit(events.RunFinished(self._key, self._now(), status, message))
        return record

    def _now(self) -> str:
        return self._services.machine.now()

    # --- documents and phases -------------------------------------------------------------------

    def _document(self, run: RunRecord, index: int) -> bool:
        """Run one document. Return whether the run stops after it."""
        record = run.documents.get(index)
        if record is not None and record.finished:
            return self._aborted(record, index)
        self._execution.emit(events.DocumentStarted(self._key, index, self._now()))
        record = run.documents[index]
        aborted = False
        for phase, selected in enumerate(self._plan.documents[index].selected):
            if selected and self._phase(record, index, phase):
                aborted = True
                break
        status = _overall(phase.status for phase in record.phases.values())
        path = self._plan.documents[index].document.path
        message = f"Document {path} failed!" if status is Status.FAILED else ""
        self._execution.emit(
            events.DocumentFinished(self._key, index, self._now(), status, message)
        )
        return aborted

    def _aborted(self, record: DocumentRecord, index: int) -> bool:
        """Whether one of its steps stopped a finished document."""
        return any(
            self._phase_aborted(phase, index, phase_index)
            for phase_index, phase in record.phases.items()
        )

    def _phase_aborted(self, record: PhaseRecord, document: int, phase: int) -> bool:
        steps = self._plan.documents[document].document.phases[phase].steps
        return any(
            step.status is Status.FAILED and steps[index].on_failure is OnFailure.ABORT
            for index, step in record.steps.items()
        )

    def _phase(self, document: DocumentRecord, document_index: int, index: int) -> bool:
        """Run one phase. Return whether the document stops after it."""
        planned_document = self._plan.documents[document_index]
        phase = planned_document.document.phases[index]
        record = document.phases.get(index)
        if record is not None and record.finished:
            return self._phase_aborted(record, document_index, index)
        self._execution.emit(events.PhaseStarted(self._key, document_index, index, self._now()))
        record = document.phases[index]
        aborted = False
        for step_index in range(len(phase.steps)):
            if self._step(record, planned_document, (document_index, index, step_index)):
                aborted = True
                break
        status = _overall(step.status for step in record.steps.values())
        message = f"Phase {phase.name} failed!" if status is Status.FAILED else ""
        self._execution.emit(
            events.PhaseFinished(self._key, document_index, index, self._now(), status, message)
        )
        return aborted

    def _step(
        self, phase: PhaseRecord, document: PlannedDocument, indices: tuple[int, int, int]
    ) -> bool:
        """Run one step unless it has finished. Return whether the phase stops after it."""
        address = StepAddress(self._key, *indices)
        record = phase.steps.get(address.step)
        if record is None or not record.finished:
            self._services.interruption.check()
            StepRunner(self._execution, document, address, self).run()
            record = phase.steps[address.step]
        step = document.document.phases[address.phase].steps[address.step]
        return record.status is Status.FAILED and step.on_failure is OnFailure.ABORT

    # --- nested documents -----------------------------------------------------------------------

    def run_nested(
        self, execution: Execution, address: StepAddress, iteration: int | None, nested: NestedRun
    ) -> Mapping[str, Value]:
        suffix = f"#{iteration}" if iteration is not None else ""
        key = f"{self._key}/{address.document}.{address.phase}.{address.step}{suffix}"
        known = self._execution.records.runs.get(key)
        plan = known.plan if known else None
        if plan is None:
            plan = self._nested_plan(execution.services, address, nested)
        record = Runner(execution, plan, key).run()
        if record.status is Status.FAILED:
            # The records of the nested run have the reason; the summary reports it from there.
            raise ActionError(f"ExecuteDocument: {record.message}")
        return summary(record, plan, log_url="").nested_outputs()

    def _nested_plan(self, services: Services, address: StepAddress, nested: NestedRun) -> Plan:
        machine = services.machine
        above = self._plan.documents[address.document].document.path
        chain = (*self._plan.chain, machine.real_path(above))
        depth = self._plan.depth + 1
        if depth > limits.NESTED_DOCUMENTS:
            shown = " -> ".join((*chain, nested.document))
            raise ActionError(
                f"documents are nested too deeply: {shown}",
                hint=f"up to {limits.NESTED_DOCUMENTS} levels below the top document are allowed",
            )
        if "://" not in nested.document and not nested.document.startswith("arn:"):
            real = machine.real_path(nested.document)
            if real in chain:
                shown = " -> ".join((*chain[chain.index(real) :], real))
                raise ActionError(f"the document runs itself: {shown}")
        try:
            document = services.documents.read(nested.document)
        except RecordError:
            raise
        except AwstoeError as error:
            hint = machine.hint_beside(nested.document, above) or error.hint
            # The reason alone, because the message would name the document a second time.
            reason = error.reason if isinstance(error, SourceError) else error.message
            raise ActionError(
                f"ExecuteDocument cannot run {nested.document}: {reason}", hint=hint
            ) from error
        selected, unmatched = select([document], nested.phases)
        for name in unmatched:
            services.log.warning(f"document {nested.document} has no phase {name}")
        bound = variables.bind(document, nested.parameters)
        for problem in bound.problems:
            if problem.severity is Severity.ERROR:
                raise ActionError(f"ExecuteDocument cannot run {document.path}: {problem.message}")
            services.log.warning(problem.message)
        item = planned(document, bound.values, selected[0])
        return Plan(machine.execution_id(), (item,), depth, chain)


def _overall(statuses: Iterable[Status]) -> Status:
    found = set(statuses)
    if Status.FAILED in found:
        return Status.FAILED
    if found & {Status.IGNORED_FAILURE, Status.SUCCESS_WITH_IGNORED_FAILURE}:
        return Status.SUCCESS_WITH_IGNORED_FAILURE
    return Status.SUCCESS


def _first_failure(record: RunRecord) -> str:
    return next(
        (item.message for item in record.documents.values() if item.status is Status.FAILED), ""
    )
