"""Gives references their values during a run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from awstoe.engine.plan import PlannedDocument
from awstoe.engine.records import DocumentRecord, Status
from awstoe.errors import ActionError
from awstoe.expressions import references
from awstoe.expressions.references import (
    ChainReference,
    ContextReference,
    EnvironmentReference,
    ImdsReference,
    LoopReference,
    Reference,
    SsmReference,
    VariableReference,
)
from awstoe.expressions.values import Value


class AwsValues(Protocol):
    """The values that come from AWS; each is read once per run."""

    def ssm(self, name: str) -> Value:
        """The value of an SSM parameter.

        Raises:
            AwsError: It cannot be had.
        """

    def imds(self, path: str) -> str:
        """A value of the instance's metadata.

        Raises:
            AwsError: It cannot be had.
        """

    def account_id(self) -> str:
        """The account this machine runs in.

        Raises:
            AwsError: It cannot be had.
        """

    def region(self) -> str:
        """The region this machine runs in.

        Raises:
            AwsError: It cannot be had.
        """


class MachineValues(Protocol):
    """The values that come from this machine."""

    def environment(self, name: str) -> str | None:
        """An environment variable of the caller, or None."""

    def context(self, key: str) -> str:
        """The value of a key that is neither AWS's nor the run's: ``osName``, ``date`` ..."""


class LoopPosition:
    """Where a step's loop is."""

    __slots__ = ("name", "position", "value")

    def __init__(self, name: str) -> None:
        self.name = name
        self.position = 0
        self.value: Value = ""


class StepResolver:
    """Resolves the references of one step.

    Args:
        planned: The document the step is in.
        record: What the document has done so far.
        place: Names of phase and step, for ``context:``.
        execution_id: For ``context:executionId``.
        aws: Values from AWS.
        machine: Values from this machine.
        warn: Called with a sentence when a value is not what the author may expect.
    """

    def __init__(
        self,
        planned: PlannedDocument,
        record: DocumentRecord,
        place: tuple[str, str],
        *,
        execution_id: str,
        aws: AwsValues,
        machine: MachineValues,
        warn: Callable[[str], None],
    ) -> None:
        self._planned = planned
        self._record = record
        self._phase, self._step = place
        self._execution_id = execution_id
        self._aws = aws
        self._machine = machine
        self._tell = warn
        self._told: set[str] = set()
        self.loop: LoopPosition | None = None
        self.capped_list = False
        """Set while a ``forEach`` list is resolved: a cut value is an error there."""

    def resolve(self, value: Value) -> Value:
        """``value`` with its references replaced.

        Raises:
            AwstoeError: A reference has no value.
        """
        return references.substitute(value, self)

    def text(self, text: str) -> str:
        """``text`` with its references replaced, as text.

        Raises:
            AwstoeError: A reference has no value.
        """
        if "{{" not in text:
            return text
        return references.as_text(references.substitute(text, self))

    def value(self, reference: Reference) -> Value:
        """The value of ``reference``; see ``references.Resolver``."""
        match reference:
            case VariableReference():
                return self._planned.variables[reference.name]
            case LoopReference():
                return self._loop(reference)
            case ChainReference():
                return self._chain(reference)
            case EnvironmentReference():
                found = self._machine.environment(reference.name)
                if found is None:
                    raise ActionError(
                        f"the environment variable {reference.name} is not set",
                        hint=f"set it before awstoe starts; the document refers to it as"
                        f" {{{{ env:{reference.name} }}}}",
                    )
                return found
            case ContextReference():
                return self._context(reference.key)
            case SsmReference():
                return self._aws.ssm(self._ssm_name(reference))
            case ImdsReference():
                return self._aws.imds(reference.path)

    def _warn(self, message: str) -> None:
        """Warn once: a loop may meet the same thing a million times."""
        if message not in self._told:
            self._told.add(message)
            self._tell(message)

    def _ssm_name(self, reference: SsmReference) -> str:
        name = reference.name
        return name if isinstance(name, str) else references.as_text(self.value(name))

    def _loop(self, reference: LoopReference) -> Value:
        loop = self.loop
        if loop is None or reference.loop not in ("loop", loop.name):
            raise LookupError(reference)
        return str(loop.position) if reference.member == "index" else loop.value

    def _context(self, key: str) -> str:
        match key:
            case "executionId":
                return self._execution_id
            case "phase":
                return self._phase
            case "step":
                return self._step
            case "accountId":
                return self._aws.account_id()
            case "region":
                return self._aws.region()
            case _:
                return self._machine.context(key)

    def _chain(self, reference: ChainReference) -> Value:
        place = f"{reference.phase}.{reference.step}"
        shown = f"{place}.{reference.side}[{reference.position}].{reference.variable}"
        indices = self._planned.places.get((reference.phase, reference.step))
        if indices is None:
            raise ActionError(f"there is no step {place}, which {shown} refers to")
        phase = self._record.phases.get(indices[0])
        step = phase.steps.get(indices[1]) if phase else None
        if step is None or not step.finished:
            self._warn(f"step {place} has not run: {shown} is the empty string")
            return ""
        if reference.side == "inputs":
            if step.inputs is None:
                self._warn(f"step {place} was not carried out: {shown} is the empty string")
                return ""
            return _pick(step.input_values(), reference, shown)
        if step.status is Status.SKIPPED:
            self._warn(f"step {place} was skipped: {shown} is the empty string")
            return ""
        if step.status is not Status.SUCCESS:
            self._warn(f"step {place} failed: {shown} is what it printed before")
            if not step.outputs:
                return ""
        if step.capped:
            if self.capped_list:
                raise ActionError(
                    f"the list {shown} was cut: step {place} printed more than an output value"
                    " holds",
                    hint="have the step print less, or raise AWSTOE_STDOUT_LIMIT (bytes)",
                )
            self._warn(f"step {place} printed more than an output value holds: {shown} is cut")
        return _pick(step.outputs, reference, shown)


def _pick(
    operations: Sequence[Mapping[str, Value]],
    reference: ChainReference,
    shown: str,
) -> Value:
    if reference.position >= len(operations):
        raise ActionError(
            f"{shown} does not exist: the step has {len(operations)} {reference.side}",
            hint="indices count from 0",
        )
    values = operations[reference.position]
    if reference.variable not in values:
        known = ", ".join(values) or "none"
        raise ActionError(f"{shown} does not exist; the step has: {known}")
    return values[reference.variable]
