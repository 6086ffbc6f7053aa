"""Collects the names that a document declares and references can use.

They are collected from the tree before anything is checked. A reference to something that exists
but is wrong in itself is therefore not a second problem. Neither is one to a name that a reported
problem hides: then ``HIDDEN`` is among the names.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Lookup
from typing import NamedTuple

from awstoe.document.syntax.nodes import HIDDEN, Mapping, Node, Scalar, Sequence


class StepFacts(NamedTuple):
    """What is known about a step when references to it are checked."""

    phase: str
    name: str
    order: int
    """Its position among all steps of the document."""
    action: str
    operations: tuple[Node, ...]
    """The entries of ``inputs``: one node per operation."""
    has_loop: bool
    loop: str
    """The loop's name; may be empty."""


class Scope(NamedTuple):
    """The names that a document declares."""

    variables: frozenset[str]
    """Parameters and constants."""
    phases: Lookup[str, Lookup[str, StepFacts]]
    """Steps by phase and name. If a name is used twice, the first step."""
    steps: Lookup[tuple[int, int], StepFacts]
    """Steps by the positions of phase and step. With aliases, a node can be in several places."""
    loops: Lookup[str, StepFacts]
    """Steps by the name of their loop."""


def scope_of(root: Mapping) -> Scope:
    """Return the names that the document declares."""
    variables = frozenset(
        name
        for section in ("parameters", "constants")
        for _, entry in _entries(root.value(section))
        for name in (*entry.entries, *(entry.excused & {HIDDEN}))
    )
    phases: dict[str, dict[str, StepFacts]] = {}
    steps: dict[tuple[int, int], StepFacts] = {}
    loops: dict[str, StepFacts] = {}
    for phase_position, phase in _entries(root.value("phases")):
        phase_name = _text(phase.value("name"))
        by_name = phases.setdefault(phase_name, {})
        for position, step in _entries(phase.value("steps")):
            facts = _step_facts(step, phase_name, len(steps))
            by_name.setdefault(facts.name, facts)
            if HIDDEN in step.excused:
                by_name.setdefault(HIDDEN, facts)
            steps[phase_position, position] = facts
            if facts.loop:
                loops.setdefault(facts.loop, facts)
    return Scope(variables, phases, steps, loops)


def _step_facts(step: Mapping, phase: str, order: int) -> StepFacts:
    inputs = step.value("inputs")
    loop = step.value("loop")
    return StepFacts(
        phase,
        _text(step.value("name")),
        order,
        _text(step.value("action")),
        tuple(inputs.items) if isinstance(inputs, Sequence) else (inputs,) if inputs else (),
        loop is not None,
        _text(loop.value("name")) if isinstance(loop, Mapping) else "",
    )


def _entries(node: Node | None) -> Iterator[tuple[int, Mapping]]:
    """Yield the mappings in a list, or the one mapping in place of a list, with positions."""
    if isinstance(node, Mapping):
        yield 0, node
    elif isinstance(node, Sequence):
        for position, item in enumerate(node.items):
            if isinstance(item, Mapping):
                yield position, item


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
