"""Checks that each reference in a document names something that has a value at that point."""

from collections.abc import Collection
from enum import Enum, auto
from itertools import islice

from awstoe.actions import schema
from awstoe.actions.table import ACTIONS, Shape
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.model import Mark
from awstoe.document.problems import Severity
from awstoe.document.scalars import braces
from awstoe.document.scope import Scope, StepFacts
from awstoe.document.syntax import encoding
from awstoe.document.syntax.nodes import HIDDEN, Mapping, Node, Scalar, Sequence
from awstoe.expressions import references
from awstoe.expressions.references import (
    ChainReference,
    LocatedReference,
    LoopReference,
    Reference,
    Refusal,
    SsmReference,
    VariableReference,
)
from awstoe.expressions.values import quoted

InBraces = LocatedReference | braces.NearMiss


class Position(Enum):
    """The part of a step that contains a reference."""

    INPUTS = auto()
    LOOP = auto()
    CONDITION = auto()


class ReferenceCheck:
    """Checks the references of one document.

    Args:
        diagnostics: Collects the problems.
        scope: The names that the document declares.
        text: The document's text, used to locate references.
    """

    __slots__ = ("_by_name", "_diagnostics", "_lines", "_scope", "_text")

    def __init__(self, diagnostics: Diagnostics, scope: Scope, text: str) -> None:
        self._diagnostics = diagnostics
        self._scope = scope
        self._text = text
        self._lines: list[str] = []
        self._by_name: dict[str, list[StepFacts]] | None = None

    def text(self, node: Scalar, path: str, step: StepFacts, position: Position) -> bool:
        """Check the references in ``node``; return whether it contains any."""
        if "{{" not in node.text:
            return False
        found = references.find(node.text)
        for located in found:
            if isinstance(located.reference, LoopReference):
                self._loop(located.reference, located, node, path, step, position)
            elif finding := self._finding(located.reference, step):
                self._diagnostics.error(
                    self._place(node, located, Severity.ERROR),
                    path,
                    finding.code,
                    f"{_shown(located)}: {finding.message}",
                    finding.hint,
                )
        for miss in braces.near_misses(node.text, found, self._scope, step):
            self._diagnostics.warning(
                self._place(node, miss, Severity.WARNING),
                path,
                "near-reference",
                f"{_shown(miss)}: {miss.message}",
                miss.hint,
            )
        return bool(found)

    def warn_unresolved(self, node: Node, path: str, what: str) -> None:
        """Warn about references in ``what``, where references are not resolved."""
        if not isinstance(node, Scalar) or "{{" not in node.text:
            return
        for located in references.find(node.text):
            self._diagnostics.warning(
                self._place(node, located, Severity.WARNING),
                path,
                "reference-without-meaning",
                f"{_shown(located)}: references in {what} are not resolved;"
                " the text stays as it is",
                "write the text itself here, or write the reference where the value is used",
            )

    def _finding(self, reference: Reference, step: StepFacts) -> Refusal | None:
        if refusal := references.problem(reference):
            return refusal
        if isinstance(reference, VariableReference):
            return self._variable(reference, step)
        if isinstance(reference, ChainReference):
            return self._chain(reference, step)
        if isinstance(reference, SsmReference) and not isinstance(reference.name, str):
            return self._finding(reference.name, step)
        return None

    def _variable(self, reference: VariableReference, step: StepFacts) -> Refusal | None:
        name = reference.name
        if name in self._scope.variables or HIDDEN in self._scope.variables:
            return None
        return Refusal(
            "undeclared-name",
            f"the name {name!r} is not declared in 'parameters' or 'constants'",
            braces.named(name, self._scope, step)
            or self._diagnostics.suggestion(name, self._scope.variables)
            or f"declare it; {braces.LITERAL}",
        )

    def _chain(self, reference: ChainReference, step: StepFacts) -> Refusal | None:
        steps = self._scope.phases.get(reference.phase)
        if steps is None and HIDDEN in self._scope.phases:
            return None
        if steps is None:
            return Refusal(
                "unknown-phase",
                f"there is no phase {reference.phase!r}",
                self._elsewhere(reference, step)
                or self._diagnostics.suggestion(reference.phase, self._scope.phases)
                or _phases_hint(self._scope.phases),
            )
        target = steps.get(reference.step)
        if target is None and HIDDEN in steps:
            return None
        if target is None:
            return Refusal(
                "unknown-step",
                f"there is no step {reference.step!r} in phase {reference.phase!r}",
                self._elsewhere(reference, step)
                or self._diagnostics.suggestion(reference.step, steps)
                or "name a step of this document that runs earlier",
            )
        if target.order >= step.order:
            own = target.order == step.order
            return Refusal(
                "own-step" if own else "later-step",
                "a step cannot refer to itself" if own else "a step cannot refer to a later step",
                "refer to a step that runs earlier",
            )
        if reference.side == "inputs":
            return self._input(reference, target)
        return self._output(reference, target)

    def _elsewhere(self, reference: ChainReference, step: StepFacts) -> str:
        """Return a hint with an earlier step of that name in another phase, if there is one."""
        if self._by_name is None:
            self._by_name = {}
            for facts in self._scope.steps.values():
                self._by_name.setdefault(facts.name, []).append(facts)
        found = next(iter(self._by_name.get(reference.step, ())), None)
        if found is None:  # perhaps the two names are in the wrong order
            swapped = self._scope.phases.get(reference.step, {})
            found = swapped.get(reference.phase)
        if found is None or found.order >= step.order or not found.phase:
            return ""
        return f"did you mean '{found.phase}.{found.name}'?"

    def _input(self, reference: ChainReference, target: StepFacts) -> Refusal | None:
        if reference.position >= len(target.operations):
            return _no_operation(reference, len(target.operations))
        operation = target.operations[reference.position]
        if isinstance(operation, Mapping) and reference.variable not in operation.entries:
            return Refusal(
                "unknown-input",
                f"the step {target.name!r} has no input {reference.variable!r}",
                self._diagnostics.suggestion(reference.variable, operation.entries)
                or f"its inputs are {', '.join(operation.entries)}",
            )
        return None

    def _output(self, reference: ChainReference, target: StepFacts) -> Refusal | None:
        row = ACTIONS.get(target.action)
        if row is None:
            return None
        names = [output.name for output in schema.schema(target.action).outputs]
        if reference.variable not in names:
            known = (
                f"use one of {', '.join(names)}"
                if names[1:]
                else f"use {names[0]!r}"
                if names
                else "it has no outputs"
            )
            return Refusal(
                "unknown-output",
                f"the action {target.action} has no output {reference.variable!r}",
                self._diagnostics.suggestion(reference.variable, names) or known,
            )
        if target.action == "WebDownload" or row.shape is not Shape.LIST:
            count = 1
        else:
            count = len(target.operations)
        if target.operations and reference.position >= count:
            return _no_operation(reference, count)
        return None

    def _loop(
        self,
        reference: LoopReference,
        located: LocatedReference,
        node: Scalar,
        path: str,
        step: StepFacts,
        position: Position,
    ) -> None:
        own = step.has_loop and reference.loop in ("loop", step.loop)
        if own and position is Position.INPUTS:
            return
        hint = ""
        if own:
            message = "the loop has not started at this point; the text stays as it is"
        elif other := self._scope.loops.get(reference.loop):
            message = (
                f"the loop {reference.loop!r} belongs to step {other.name!r};"
                " the text stays as it is"
            )
            hint = "use a loop's variables only in the inputs of its own step"
        elif step.has_loop and (hint := self._diagnostics.suggestion(reference.loop, _names(step))):
            message = f"this step has no loop {reference.loop!r}; the text stays as it is"
        elif reference.loop == "loop" or not step.has_loop:
            message = "this step has no loop; the text stays as it is"
            hint = "add a 'loop' to the step, or refer to a parameter or to the output of a step"
        else:
            message = f"there is no loop {reference.loop!r}; the text stays as it is"
            hint = f"refer to the loop of this step: {{{{ loop.{reference.member} }}}}"
        self._diagnostics.warning(
            self._place(node, located, Severity.WARNING),
            path,
            "reference-without-meaning",
            f"{_shown(located)}: {message}",
            hint,
        )

    def _place(self, node: Scalar, located: InBraces, severity: Severity) -> Mark:
        """Return the reference's own position, or its scalar's if it cannot be located."""
        if not self._diagnostics.has_room(severity):
            return Mark(node.line, node.column)
        if not self._lines:
            self._lines = encoding.lines(self._text)
        earlier = node.text.count(located.text, 0, located.start)
        row, start = node.line - 1, node.column - 1
        # Because of folding and escapes, the file and the text differ in their line breaks.
        last = min(len(self._lines), row + 2 * node.text.count("\n") + 50)
        while row < last:
            found = self._lines[row].find(located.text, start)
            if found < 0:
                row, start = row + 1, 0
            elif earlier:
                earlier -= 1
                start = found + len(located.text)
            else:
                return Mark(row + 1, found + 1)
        return Mark(node.line, node.column)


def texts_of(node: Node, path: str) -> "list[tuple[Scalar, str]]":
    """Return the scalars in ``node`` that may contain references, with their paths."""
    if isinstance(node, Scalar):
        return [(node, path)] if "{{" in node.text else []
    found: list[tuple[Scalar, str]] = []
    if isinstance(node, Sequence):
        for position, item in enumerate(node.items):
            if not isinstance(item, Scalar) or "{{" in item.text:
                found += texts_of(item, f"{path}[{position}]")
    else:
        for key, (_, item) in node.entries.items():
            if not isinstance(item, Scalar) or "{{" in item.text:
                found += texts_of(item, f"{path}.{key}")
    return found


def _phases_hint(phases: Collection[str]) -> str:
    shown = ", ".join(map(quoted, islice(phases, 10)))
    return f"the phases are {shown}{' and others' if len(phases) > 10 else ''}"  # noqa: PLR2004


def _names(step: StepFacts) -> Collection[str]:
    return ("loop", step.loop) if step.loop else ("loop",)


def _no_operation(reference: ChainReference, count: int) -> Refusal:
    return Refusal(
        f"unknown-{reference.side[:-1]}",
        f"the step {reference.step!r} has {count} {'entry' if count == 1 else 'entries'} in its"
        f" {reference.side}; there is no [{reference.position}]",
        "count entries from [0]",
    )


def _shown(located: InBraces) -> str:
    text = " ".join(located.text.split())
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a line's length
