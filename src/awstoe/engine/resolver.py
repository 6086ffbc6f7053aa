"""Replaces references with their values during a run."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from awstoe.engine.plan import PlannedDocument
from awstoe.engine.records import DocumentRecord, Status
from awstoe.errors import PermanentError
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
    """The values that come from AWS. Each is read once per run."""

    def ssm(self, name: str) -> Value:
        """Return the value of an SSM parameter.

        Raises:
            AwsError: It cannot be read.
        """

    def imds(self, path: str) -> str:
        """Return a value of the instance metadata.

        Raises:
            AwsError: It cannot be read.
        """

    def account_id(self) -> str:
        """Return the account this machine runs in.

        Raises:
            AwsError: It cannot be read.
        """

    def region(self) -> str:
        """Return the region this machine runs in.

        Raises:
            AwsError: It cannot be read.
        """


class MachineValues(Protocol):
    """The values that come from this machine."""

    def environment(self, name: str) -> str | None:
        """Return an environment variable of the caller, or None."""

    def context(self, key: str) -> str:
        """Return the value of a machine key such as ``osName`` or ``date``."""


class LoopPosition(NamedTuple):
    """One iteration of a loop."""

    name: str
    iteration: int
    value: Value


class StepResolver:
    """Resolves the references of one step.

    Args:
        planned: The document the step is in.
        record: What has happened in the document so far.
        names: The names of phase and step, for ``context:``.
        execution_id: For ``context:executionId``.
        aws: Values from AWS.
        machine: Values from this machine.
        warn: Called with a sentence when a value may not be what the author expects.
    """

    def __init__(
        self,
        planned: PlannedDocument,
        record: DocumentRecord,
        names: tuple[str, str],
        *,
        execution_id: str,
        aws: AwsValues,
        machine: MachineValues,
        warn: Callable[[str], None],
    ) -> None:
        self._planned = planned
        self._record = record
        self._phase, self._step = names
        self._execution_id = execution_id
        self._aws = aws
        self._machine = machine
        self._log_warning = warn
        self._warned: set[str] = set()

    def resolve(self, value: Value, loop: LoopPosition | None = None) -> Value:
        """Return ``value`` with its references replaced, as seen from the iteration ``loop``.

        Raises:
            AwstoeError: A reference has no value.
        """
        return references.substitute(value, _Scope(self, loop))

    def resolve_list(self, value: Value) -> Value:
        """Return the list of a ``forEach`` with its references replaced.

        Raises:
            AwstoeError: A reference has no value, or its value was cut: the loop would be too
                short.
        """
        return references.substitute(value, _Scope(self, None, allow_cut=False))

    def resolve_text(self, text: str, loop: LoopPosition | None = None) -> str:
        """Return ``text`` with its references replaced, as text.

        Raises:
            AwstoeError: A reference has no value.
        """
        if "{{" not in text:
            return text
        return references.as_text(self.resolve(text, loop))

    def value(self, reference: Reference, *, allow_cut: bool) -> Value:
        """Return the value of ``reference``, which is not one to a loop variable.

        Args:
            reference: The reference.
            allow_cut: Whether a value that was cut at its limit is acceptable.

        Raises:
            AwstoeError: It has no value.
        """
        match reference:
            case VariableReference():
                return self._planned.variables[reference.name]
            case ChainReference():
                return self._chain(reference, allow_cut=allow_cut)
            case EnvironmentReference():
                return self._environment(reference.name)
            case ContextReference():
                return self._context(reference.key)
            case SsmReference():
                return self._aws.ssm(self._ssm_name(reference))
            case ImdsReference():
                return self._aws.imds(reference.path)
            case LoopReference():
                raise LookupError(reference)

    def _environment(self, name: str) -> str:
        value = self._machine.environment(name)
        if value is None:
            raise PermanentError(
                f"the environment variable {name} is not set",
                hint=f"set it before awstoe starts; the document refers to it as"
                f" {{{{ env:{name} }}}}",
            )
        return value

    def _warn(self, message: str) -> None:
        """Log a warning once: a loop may repeat it a million times."""
        if message not in self._warned:
            self._warned.add(message)
            self._log_warning(message)

    def _ssm_name(self, reference: SsmReference) -> str:
        name = reference.name
        return (
            name if isinstance(name, str) else references.as_text(self.value(name, allow_cut=True))
        )

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

    def _chain(self, reference: ChainReference, *, allow_cut: bool) -> Value:
        name = f"{reference.phase}.{reference.step}"
        shown = f"{name}.{reference.side}[{reference.position}].{reference.variable}"
        indices = self._planned.places.get((reference.phase, reference.step))
        if indices is None:
            raise PermanentError(f"{shown} refers to step {name}, which does not exist")
        phase = self._record.phases.get(indices[0])
        step = phase.steps.get(indices[1]) if phase else None
        if step is None or not step.finished:
            self._warn(f"step {name} has not run: {shown} is the empty string")
            return ""
        if reference.side == "inputs":
            if step.inputs is None:
                self._warn(f"step {name} was not executed: {shown} is the empty string")
                return ""
            return _pick(step.input_values(), reference, shown)
        if step.status is Status.SKIPPED:
            self._warn(f"step {name} was skipped: {shown} is the empty string")
            return ""
        if step.status is not Status.SUCCESS:
            self._warn(f"step {name} failed: {shown} is what it printed before that")
            if not step.outputs:
                return ""
        if step.capped:
            if not allow_cut:
                raise PermanentError(
                    f"the list {shown} was cut: step {name} printed more than an output value"
                    " can hold",
                    hint="make the step print less, or raise AWSTOE_STDOUT_LIMIT (bytes)",
                )
            self._warn(f"step {name} printed more than an output value can hold: {shown} is cut")
        return _pick(step.outputs, reference, shown)


class _Scope:
    """What the references of one value can see: the step's values and one iteration."""

    __slots__ = ("_allow_cut", "_loop", "_resolver")

    def __init__(
        self, resolver: StepResolver, loop: LoopPosition | None, *, allow_cut: bool = True
    ) -> None:
        self._resolver = resolver
        self._loop = loop
        self._allow_cut = allow_cut

    def value(self, reference: Reference) -> Value:
        if not isinstance(reference, LoopReference):
            return self._resolver.value(reference, allow_cut=self._allow_cut)
        loop = self._loop
        if loop is None or reference.loop not in ("loop", loop.name):
            raise LookupError(reference)
        return str(loop.iteration) if reference.member == "index" else loop.value


def _pick(
    operations: Sequence[Mapping[str, Value]],
    reference: ChainReference,
    shown: str,
) -> Value:
    if reference.position >= len(operations):
        raise PermanentError(
            f"{shown} does not exist: the step has {len(operations)} {reference.side}",
            hint="indices start at 0",
        )
    values = operations[reference.position]
    if reference.variable not in values:
        known = ", ".join(values) or "none"
        raise PermanentError(f"{shown} does not exist; the step has: {known}")
    return values[reference.variable]
