"""Runs one step: its condition, its attempts, the iterations of its loop, its operations."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from awstoe import limits
from awstoe.actions import schema
from awstoe.actions.contract import NestedRun
from awstoe.document.model import Branch, OnFailure, Step
from awstoe.engine import events
from awstoe.engine.attempt import Attempt
from awstoe.engine.context import StepContext, StepServices
from awstoe.engine.events import StepAddress, encode
from awstoe.engine.execution import Execution
from awstoe.engine.failure import (
    Failure,
    counted,
    in_iteration,
    message_with_hint,
    of_error,
    shown,
)
from awstoe.engine.loop_progress import LoopProgress, log_progress
from awstoe.engine.observers import RunLog
from awstoe.engine.plan import PlannedDocument
from awstoe.engine.reboots import StepReboots
from awstoe.engine.records import Status, StepRecord
from awstoe.engine.resolver import LoopPosition, StepResolver
from awstoe.engine.silent import NullLog
from awstoe.engine.step_resources import StepResources
from awstoe.errors import AwstoeError, PermanentError, RecordError
from awstoe.expressions import conditions, loops, references
from awstoe.expressions.loops import ForLoop, Loop
from awstoe.expressions.values import Value

Operations = Sequence[Mapping[str, Value]]


class NestedRunner(Protocol):
    """Runs the documents of ExecuteDocument; implemented by the runner of documents."""

    def run_nested(
        self, execution: Execution, address: StepAddress, iteration: int | None, nested: NestedRun
    ) -> Mapping[str, Value]:
        """Run ``nested`` in ``execution``. Return its summary.

        Args:
            execution: The execution of the step, or the same without observers.
            address: The step that runs the document.
            iteration: The iteration of the step's loop; None without a loop.
            nested: What to run.

        Raises:
            ActionError: It failed, cannot be read, or is a cycle.
        """


class StepRunner:
    """Runs one step.

    Args:
        execution: The records and services.
        planned: The document the step is in.
        address: The step.
        nested: Runs nested documents.
    """

    def __init__(
        self,
        execution: Execution,
        planned: PlannedDocument,
        address: StepAddress,
        nested: NestedRunner,
    ) -> None:
        self._execution = execution
        phase = planned.document.phases[address.phase]
        self._step: Step = phase.steps[address.step]
        self._address = address
        self._nested = nested
        run = execution.records.runs[address.run]
        services = execution.services
        log = services.log
        self._log: RunLog = NullLog(log) if self._step.disable_logging else log
        self._resolver = StepResolver(
            planned,
            run.documents[address.document],
            (phase.name, self._step.name),
            execution_id=run.execution_id,
            aws=services.aws,
            machine=execution,
            warn=self._log.warning,
        )
        self._services = StepServices(
            interruption=services.interruption,
            facts=services.machine,
            resolver=self._resolver,
            run_document=self._run_document,
            resources=StepResources(execution, address),
            stdout_limit=services.stdout_limit,
            reboots=StepReboots(execution, address),
        )
        self._schema = schema.schema(self._step.action)
        self._static = not any(
            True
            for operation in self._step.operations
            for _ in references.references_in(dict(operation))
        )
        self._typed: list[object] | None = None

    @property
    def _record(self) -> StepRecord:
        return self._execution.records.step(*self._address)

    def run(self) -> None:
        """Run the step to its end, continuing after what the records say has been done of it.

        Raises:
            Interrupted: A signal stopped it. It has no end in the records.
            RecordError: Logs, records or state cannot be written.
        """
        self._execution.emit(events.StepStarted(*self._address, self._now()))
        try:
            branch = self._branch()
        except RecordError:
            raise
        except AwstoeError as error:
            self._fail(Failure(f"the 'if' cannot be evaluated: {message_with_hint(error)}"))
            return
        if branch is Branch.SKIP:
            self._finish(Status.SKIPPED)
        elif branch is Branch.ABORT:
            self._fail(Failure(f"the 'if' of the step leads to Abort: {self._record.explanation}"))
        else:
            self._attempts()

    def _now(self) -> str:
        return self._execution.services.machine.now()

    # --- the condition ------------------------------------------------------------------------

    def _branch(self) -> Branch:
        step = self._step
        if step.condition is None:
            return Branch.EXECUTE
        if self._record.branch is not None:
            return Branch(self._record.branch)
        verdict = conditions.evaluate(
            step.condition.condition, self._resolver.resolve_text, self._services.facts
        )
        branch = step.condition.then if verdict.value else step.condition.otherwise
        explanation = verdict.explanation if not step.disable_logging else "(not logged)"
        self._execution.emit(events.BranchTaken(*self._address, branch, explanation))
        return branch

    # --- attempts -----------------------------------------------------------------------------

    def _attempts(self) -> None:
        step = self._step
        started = self._record.attempts
        number = max(started, 1)
        while True:
            if number > started:  # otherwise a resumed run continues this attempt
                self._execution.emit(events.AttemptStarted(*self._address, number))
            attempt = Attempt(number, step.timeout_seconds)
            outputs, failure = self._attempt(attempt)
            again = failure is not None and not failure.permanent and number < step.max_attempts
            message = shown(failure.message, step) if failure is not None else ""
            self._execution.emit(events.AttemptFinished(*self._address, message, again))
            if failure is None:
                self._finish(Status.SUCCESS, outputs, capped=attempt.capped)
                self._services.reboots.stop_if_requested()
                return
            if not again:
                self._fail(counted(failure, number, step), outputs, capped=attempt.capped)
                return
            number += 1

    def _attempt(self, attempt: Attempt) -> tuple[events.Outputs, Failure | None]:
        step = self._step
        context = StepContext(self._services, attempt, self._log)
        try:
            context.checkpoint()
            if step.loop is None:
                return self._operate(context, attempt), None
            return self._iterate(step.loop, attempt), None
        except RecordError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the run with a traceback
            if not isinstance(error, AwstoeError):
                self._log_bug()
            failure = of_error(error, step)
        if attempt.iteration is not None:
            failure = in_iteration(failure, attempt.iteration, attempt.value)
        return self._printed_outputs(attempt), failure

    def _log_bug(self) -> None:
        import traceback  # noqa: PLC0415 - 3 ms of start-up for what should never happen

        for line in traceback.format_exc().splitlines():
            self._log.debug(f"Executor: {line}")

    def _printed_outputs(self, attempt: Attempt) -> events.Outputs:
        """Return the outputs of a failed attempt: what its program or its iterations printed."""
        if self._step.loop is not None:
            return self._joined_outputs(attempt)
        if attempt.printed is None:
            return []
        return [{"stdout": attempt.printed}]

    # --- iterations and operations ------------------------------------------------------------

    def _operate(self, context: StepContext, attempt: Attempt) -> events.Outputs:
        resolved = self._resolve()
        self._inputs_resolved(resolved)
        self._execution.emit(events.ActionStarted(*self._address, attempt.number, None))
        return self._run_operations(resolved, context)

    def _iterate(self, loop: Loop, attempt: Attempt) -> events.Outputs:
        self._inputs_resolved(self._resolve())
        values = self._loop_values(loop)
        total = loops.length(values)
        self._execution.emit(events.ActionStarted(*self._address, attempt.number, total))
        done = self._record.last_iteration
        progress = LoopProgress(self._execution, self._address, done)
        quiet = NullLog(self._log)
        try:
            for index in range(done + 1, total):
                attempt.iteration = index
                attempt.value = str(values[index])
                if index < limits.LOGGED_ITERATIONS:
                    log = self._log
                    self._execution.emit(events.IterationStarted(*self._address, index))
                else:
                    log = quiet
                    log_progress(self._log, index, total)
                position = LoopPosition(loop.name, index, values[index])
                context = StepContext(self._services, attempt, log, position)
                outputs = self._run_operations(self._resolve(position), context)
                progress.finished(index, outputs)
                self._services.reboots.stop_if_requested()
        finally:
            progress.flush()
        return self._joined_outputs(attempt)

    def _loop_values(self, loop: Loop) -> Sequence[str]:
        """Return the values of the loop. They are read once, also for a resumed run."""
        known = self._record.loop_values
        if known is not None:
            return known
        values = loops.iteration_values(loop, self._resolver.resolve_list)
        if not isinstance(loop, ForLoop):
            self._execution.emit(events.ListRead(*self._address, list(values)))
        return values

    def _joined_outputs(self, attempt: Attempt) -> events.Outputs:
        """Return the outputs of the iterations that succeeded."""
        collation = self._record.partial
        if collation is None:
            return []
        if collation.capped:
            attempt.capped = True
            self._log.warning(
                f"the outputs of the loop exceed {collation.limit} bytes: the output values are cut"
            )
        return collation.outputs()

    def _inputs_resolved(self, resolved: Operations) -> None:
        text = encode([dict(operation) for operation in resolved])
        self._execution.emit(events.InputsResolved(*self._address, text))

    def _resolve(self, loop: LoopPosition | None = None) -> Operations:
        """Return the operations with references replaced.

        Those of an Assert in a loop stay: its condition resolves them one by one.
        """
        if self._static or (self._step.assertion is not None and self._step.loop is not None):
            return self._step.operations
        resolved = []
        for operation in self._step.operations:
            value = self._resolver.resolve(dict(operation), loop)
            assert isinstance(value, dict)  # noqa: S101 - a mapping resolves to a mapping
            resolved.append(value)
        return resolved

    def _run_operations(self, resolved: Operations, context: StepContext) -> events.Outputs:
        typed = self._typed if self._static and self._typed is not None else self._convert(resolved)
        self._typed = typed
        run = self._schema.module.run
        outputs: events.Outputs = []
        for inputs in typed:
            context.checkpoint()
            found = run(inputs, context)
            if found is not None:
                outputs.append(dict(found) if isinstance(found, Mapping) else found._asdict())
        return outputs

    def _convert(self, resolved: Operations) -> list[object]:
        step = self._step
        if step.assertion is not None:
            return [self._schema.module.Inputs(step.assertion)]
        if not self._schema.row.implemented:
            raise PermanentError(
                f"{step.action} is not in this version of awstoe: it can be validated but not run",
                hint=f"see 'awstoe actions {step.action}'",
            )
        operations = resolved or ([{}] if self._schema.row.inputs_optional else [])
        typed = []
        for number, operation in enumerate(operations, 1):
            try:
                typed.append(schema.typed_inputs(step.action, operation))
            except ValueError as error:
                which = f"operation {number}, " if len(operations) > 1 else ""
                raise PermanentError(f"{step.action}: {which}{error}") from error
        return typed

    def _run_document(self, nested: NestedRun, iteration: int | None) -> Mapping[str, Value]:
        execution = self._execution
        if self._step.disable_logging:
            execution = execution.unobserved()
        return self._nested.run_nested(execution, self._address, iteration, nested)

    # --- the end --------------------------------------------------------------------------------

    def _fail(
        self, failure: Failure, outputs: Sequence[dict[str, Value]] = (), *, capped: bool = False
    ) -> None:
        ignored = self._step.on_failure is OnFailure.IGNORE
        status = Status.IGNORED_FAILURE if ignored else Status.FAILED
        self._finish(status, outputs, failure, capped=capped)

    def _finish(
        self,
        status: Status,
        outputs: Sequence[dict[str, Value]] = (),
        failure: Failure | None = None,
        *,
        capped: bool = False,
    ) -> None:
        step = self._step
        failure = failure or Failure("")
        hidden = step.disable_logging
        if hidden:
            failure = Failure(shown(failure.message, step), failure.exit_code)
        self._execution.emit(
            events.StepFinished(
                *self._address,
                self._now(),
                status,
                failure.message,
                failure.exit_code,
                failure.stderr_tail,
                self._record.attempts,
                list(outputs),
                capped,
                hidden,
                failure.stdout_tail,
                failure.stdout_first,
                failure.iteration,
            )
        )
