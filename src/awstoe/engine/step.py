"""Runs one step: its condition, its attempts, the iterations of its loop, its operations."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from awstoe import limits
from awstoe.actions import schema
from awstoe.actions.contract import NestedRun
from awstoe.document.model import Branch, OnFailure, Step
from awstoe.engine import events
from awstoe.engine.context import StepContext
from awstoe.engine.events import StepAddress, encode
from awstoe.engine.execution import Execution
from awstoe.engine.failure import Failure, counted, of_error, said, shown
from awstoe.engine.loop_progress import LoopProgress, log_progress
from awstoe.engine.observers import RunLog
from awstoe.engine.plan import PlannedDocument
from awstoe.engine.reboots import StepReboots
from awstoe.engine.records import Status, StepRecord
from awstoe.engine.resolver import LoopPosition, StepResolver
from awstoe.engine.silent import NullLog
from awstoe.engine.step_resources import StepResources
from awstoe.errors import ActionError, AwstoeError, RecordError
from awstoe.expressions import loops, references
from awstoe.expressions.loops import ForLoop, Loop
from awstoe.expressions.values import Value


class NestedRunner(Protocol):
    """Runs the documents of ExecuteDocument; the runner of documents implements it."""

    def run_nested(
        self, execution: Execution, place: StepAddress, iteration: int, nested: NestedRun
    ) -> Mapping[str, Value]:
        """Run ``nested`` in ``execution``; gives its summary.

        Raises:
            ActionError: It failed, cannot be read, or is a cycle.
        """


class StepRunner:
    """Runs ``step`` once.

    Args:
        execution: The records and services.
        planned: The document the step is in.
        place: Where the step stands.
        nested: Runs nested documents.
    """

    def __init__(
        self,
        execution: Execution,
        planned: PlannedDocument,
        place: StepAddress,
        nested: NestedRunner,
    ) -> None:
        self._execution = execution
        self._services = execution.services
        phase = planned.document.phases[place.phase]
        self._phase = phase.name
        self._step: Step = phase.steps[place.step]
        self._place = place
        self._nested = nested
        run = execution.records.runs[place.run]
        log = self._services.log
        self._log: RunLog = NullLog(log) if self._step.disable_logging else log
        self._resolver = StepResolver(
            planned,
            run.documents[place.document],
            (self._phase, self._step.name),
            execution_id=run.execution_id,
            aws=self._services.aws,
            machine=execution,
            warn=self._log.warning,
        )
        self._reboots = StepReboots(execution, place)
        self._context = StepContext(
            self._log,
            self._services.interruption,
            self._services.machine,
            self._resolver,
            run_document=self._run_document,
            traces=StepResources(execution, place),
            stdout_limit=self._services.stdout_limit,
            reboots=self._reboots,
        )
        self._iteration = -1
        self._schema = schema.schema(self._step.action)
        self._static = not any(
            True
            for operation in self._step.operations
            for _ in references.references_in(dict(operation))
        )
        self._typed: list[object] | None = None

    @property
    def _record(self) -> StepRecord:
        return self._execution.records.step(*self._place)

    def run(self) -> None:
        """Run the step to its end, continuing after what the records say has been done of it.

        Raises:
            Interrupted: A signal stopped it; it has no end in the records.
            RecordError: Logs, records or state cannot be written.
        """
        self._execution.emit(events.StepStarted(*self._place, self._services.machine.now()))
        try:
            branch = self._branch()
        except RecordError:
            raise
        except AwstoeError as error:
            failure = Failure(f"the 'if' cannot be evaluated: {said(error)}")
            self._finish(self._failed_status(), [], failure)
            return
        if branch is Branch.SKIP:
            self._finish(Status.SKIPPED, [], None)
        elif branch is Branch.ABORT:
            why = self._record.explanation
            failure = Failure(f"the 'if' of the step leads to Abort: {why}")
            self._finish(self._failed_status(), [], failure)
        else:
            self._attempts()

    def _failed_status(self) -> Status:
        ignored = self._step.on_failure is OnFailure.IGNORE
        return Status.IGNORED_FAILURE if ignored else Status.FAILED

    # --- the condition ------------------------------------------------------------------------

    def _branch(self) -> Branch:
        step = self._step
        if step.condition is None:
            return Branch.EXECUTE
        if self._record.branch is not None:
            return Branch(self._record.branch)
        verdict = self._context.holds(step.condition.condition)
        branch = step.condition.then if verdict.value else step.condition.otherwise
        explanation = verdict.explanation if not step.disable_logging else "(not logged)"
        self._execution.emit(events.BranchTaken(*self._place, branch, explanation))
        return branch

    # --- attempts -----------------------------------------------------------------------------

    def _attempts(self) -> None:
        step = self._step
        record = self._record
        attempt = max(record.attempts, 1)
        going_on = record.attempts > 0
        while True:
            self._start_attempt(attempt, going_on=going_on)
            going_on = False
            outputs, failure = self._attempt(attempt)
            again = failure is not None and attempt < step.max_attempts
            message = shown(failure.message, step) if failure is not None else ""
            self._execution.emit(events.AttemptFinished(*self._place, message, again))
            if failure is None:
                self._finish(Status.SUCCESS, outputs, None)
                self._reboots.stop_if_asked()
                return
            if not again:
                self._finish(self._failed_status(), outputs, counted(failure, attempt, step))
                return
            attempt += 1

    def _start_attempt(self, attempt: int, *, going_on: bool) -> None:
        step = self._step
        if not going_on:
            self._execution.emit(events.AttemptStarted(*self._place, attempt))
        timeout = step.timeout_seconds
        self._context.deadline = None if timeout < 0 else time.monotonic() + timeout
        self._context.capped = False
        self._context.printed = None

    def _attempt(self, attempt: int) -> tuple[events.Outputs, Failure | None]:
        step = self._step
        try:
            self._context.checkpoint()
            if step.loop is None:
                return self._operate(attempt), None
            return self._iterate(attempt), None
        except RecordError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the run with a traceback
            if not isinstance(error, AwstoeError):
                self._tell_bug()
            failure = of_error(error, step)
        if step.loop is not None and self._iteration >= 0:
            failure = failure._replace(message=f"iteration {self._iteration}: {failure.message}")
        return self._printed_outputs(), failure

    def _tell_bug(self) -> None:
        import traceback  # noqa: PLC0415 - 3 ms of start-up for what should never happen

        for line in traceback.format_exc().splitlines():
            self._log.debug(f"Executor: {line}")

    def _printed_outputs(self) -> events.Outputs:
        """What a failed attempt leaves: what its program, or its good iterations, printed."""
        if self._step.loop is not None:
            return self._collated()
        if self._context.printed is None:
            return []
        return [{"stdout": self._context.printed}]

    # --- iterations and operations ------------------------------------------------------------

    def _operate(self, attempt: int) -> events.Outputs:
        resolved = self._resolve()
        self._inputs_resolved(resolved)
        self._execution.emit(events.ActionStarted(*self._place, attempt, None))
        return self._run_operations(resolved)

    def _inputs_resolved(self, resolved: Sequence[Mapping[str, Value]]) -> None:
        text = encode([dict(operation) for operation in resolved])
        self._execution.emit(events.InputsResolved(*self._place, text))

    def _resolve(self) -> Sequence[Mapping[str, Value]]:
        """The operations with references replaced; an Assert's stay, its condition resolves."""
        if self._static or (self._step.assertion is not None and self._step.loop is not None):
            return self._step.operations
        resolved = []
        for operation in self._step.operations:
            value = self._resolver.resolve(dict(operation))
            assert isinstance(value, dict)  # noqa: S101 - a mapping resolves to a mapping
            resolved.append(value)
        return resolved

    def _run_operations(self, resolved: Sequence[Mapping[str, Value]]) -> events.Outputs:
        typed = self._typed if self._static and self._typed is not None else self._convert(resolved)
        self._typed = typed
        run = self._schema.module.run
        outputs: events.Outputs = []
        for inputs in typed:
            self._context.checkpoint()
            found = run(inputs, self._context)
            if found is not None:
                outputs.append(dict(found) if isinstance(found, Mapping) else found._asdict())
        return outputs

    def _convert(self, resolved: Sequence[Mapping[str, Value]]) -> list[object]:
        step = self._step
        if step.assertion is not None:
            return [self._schema.module.Inputs(step.assertion)]
        if not self._schema.row.implemented:
            raise ActionError(
                f"{step.action} is not in this version of awstoe: it can be validated, not run",
                hint=f"see `awstoe actions {step.action}`",
            )
        operations = resolved or ([{}] if self._schema.row.inputs_optional else [])
        typed = []
        for number, operation in enumerate(operations, 1):
            try:
                typed.append(schema.typed_inputs(step.action, operation))
            except ValueError as error:
                which = f"operation {number}, " if len(operations) > 1 else ""
                raise ActionError(f"{step.action}: {which}{error}") from error
        return typed

    def _iterate(self, attempt: int) -> events.Outputs:
        step = self._step
        loop = step.loop
        assert loop is not None  # noqa: S101 - the caller looked
        self._resolver.loop = None
        self._iteration = -1
        self._inputs_resolved(self._resolve())
        values = self._loop_values(loop)
        total = loops.length(values)
        self._execution.emit(events.ActionStarted(*self._place, attempt, total))
        progress = LoopProgress(self._execution, self._place, self._record.last_iteration)
        position = LoopPosition(loop.name)
        self._resolver.loop = position
        log = self._context.log
        quiet = NullLog(log)
        try:
            for index in range(self._record.last_iteration + 1, total):
                self._iteration = index
                position.position = index
                position.value = values[index]
                if index < limits.LOGGED_ITERATIONS:
                    self._execution.emit(events.IterationStarted(*self._place, index))
                else:
                    log_progress(log, index, total)
                    self._context.log = quiet
                progress.finished(index, self._run_operations(self._resolve()))
                self._reboots.stop_if_asked()
        finally:
            self._context.log = log
            progress.flush()
        return self._collated()

    def _loop_values(self, loop: Loop) -> Sequence[str]:
        """What the loop runs over, read once: a resumed run goes on with what it was."""
        known = self._record.loop_values
        if known is not None:
            return known
        self._resolver.capped_list = True
        try:
            values = loops.iteration_values(loop, self._resolver.resolve)
        finally:
            self._resolver.capped_list = False
        if not isinstance(loop, ForLoop):
            self._execution.emit(events.ListRead(*self._place, list(values)))
        return values

    def _collated(self) -> events.Outputs:
        """The outputs of the iterations that were a success."""
        collation = self._record.partial
        if collation is None:
            return []
        if collation.capped:
            self._context.capped = True
            self._context.log.warning(
                f"the outputs of the loop exceed {collation.limit} bytes: the output values are cut"
            )
        return collation.outputs()

    # --- the end --------------------------------------------------------------------------------

    def _finish(self, status: Status, outputs: events.Outputs, failure: Failure | None) -> None:
        step = self._step
        failure = failure or Failure("")
        hidden = step.disable_logging
        if hidden:
            failure = Failure(shown(failure.message, step), failure.exit_code)
        self._execution.emit(
            events.StepFinished(
                *self._place,
                self._services.machine.now(),
                status,
                failure.message,
                failure.exit_code,
                failure.stderr_tail,
                self._record.attempts,
                outputs,
                self._context.capped,
                hidden,
            )
        )

    def _run_document(self, nested: NestedRun) -> Mapping[str, Value]:
        execution = self._execution.unobserved() if self._step.disable_logging else self._execution
        return self._nested.run_nested(execution, self._place, self._iteration, nested)
