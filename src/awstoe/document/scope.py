"""What a document declares: the names that references can mean.

Collected from the tree before anything is judged, so that a reference to something that is there
but wrong in itself is not reported a second time.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Lookup
from typing import NamedTuple

from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence


class StepFacts(NamedTuple):
    """What references can ask of a step."""

    phase: str
    name: str
    order: int
    """Its position among all steps of the document."""
    action: str
    operations: tuple[Node, ...]
    """What stands in ``inputs``: one node per operation."""
    has_loop: bool
    loop: str
    """The loop's name; empty when it has none."""


class Scope(NamedTuple):
    """The names of a document."""

    variables: frozenset[str]
    """Parameters and constants."""
    phases: Lookup[str, Lookup[str, StepFacts]]
    """Steps by phase and name; of several with one name, the first."""
    steps: Lookup[tuple[int, int], StepFacts]
    """Steps by the positions of phase and step: aliases can put one node at several places."""
    loops: Lookup[str, StepFacts]
    """Steps by the name of their loop."""


def scope_of(root: Mapping) -> Scope:
    """The names that the document declares."""
    variables = frozenset(
        name
        for section in ("parameters", "constants")
        for _, entry in _entries(root.value(section))
        for name in entry.entries
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
    """The mappings in a list, or the one mapping that stands in its place, with positions."""
    if isinstance(node, Mapping):
        yield 0, node
    elif isinstance(node, Sequence):
        for position, item in enumerate(node.items):
            if isinstance(item, Mapping):
                yield position, item


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
