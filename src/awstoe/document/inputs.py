"""Parses the inputs of a step, and judges them by the action's schema.

A text that holds references is judged when the run knows their values; a list or mapping that holds
some is judged now, since a reference in it stands for the text of an entry.
"""

import re
from collections.abc import Mapping as Lookup
from typing import Final

from awstoe.actions import schema
from awstoe.actions.fields import Field, TextList
from awstoe.actions.schema import Schema
from awstoe.actions.table import ActionSpec, Shape
from awstoe.document.diagnostics import Located
from awstoe.document.parse_context import ParseContext
from awstoe.document.references import Position, texts_of
from awstoe.document.scope import StepFacts
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe, value_of
from awstoe.expressions.values import Value, quoted

TOLERATED: Final = frozenset({("DeleteFile", "force"), ("S3Download", "recurse")})
"""Inputs that real documents carry and AWSTOE lets pass."""

_ENTRY: Final = re.compile(r"entry ([0-9]+): ")
Operations = tuple[Lookup[str, Value], ...]


def failure(step: StepFacts, message: str) -> str:
    """``message`` in AWSTOE's words for what is wrong with a step."""
    return f"Parsing step '{step.name}' in phase '{step.phase}' failed. Error: {message}"


def parse_inputs(
    reading: ParseContext,
    node: Node | None,
    where: Located,
    path: str,
    row: ActionSpec,
    step: StepFacts,
) -> Operations:
    """The operations of a step; what is wrong with them is reported.

    Args:
        reading: The document.
        node: What stands under ``inputs``; None for nothing.
        where: The place of that key, or of the step.
        path: The path of ``inputs``.
        row: The step's action.
        step: The step.
    """
    if node is None:
        if not row.inputs_optional:
            reading.report.error(
                where,
                path,
                "no-inputs",
                failure(step, f"Action {step.action} has no inputs; it requires an 'inputs'"),
            )
        return ()
    found = schema.schema(step.action)
    if row.shape is Shape.LIST:
        nodes = _several(reading, node, path, step)
    else:
        nodes = _single(reading, node, path, step)
    return tuple(_operation(reading, item, place, found, step) for item, place in nodes)


def _several(
    reading: ParseContext, node: Node, path: str, step: StepFacts
) -> list[tuple[Mapping, str]]:
    if isinstance(node, Mapping):
        return [(node, path)]
    if not isinstance(node, Sequence) or not node.items:
        got = describe(node) if not isinstance(node, Sequence) else "an empty list"
        reading.report.error(
            node,
            path,
            "wrong-type",
            f"expected a list of mappings as inputs of {step.action}, got {got}",
        )
        return []
    found = []
    for position, item in enumerate(node.items):
        place = f"{path}[{position}]"
        if isinstance(item, Mapping):
            found.append((item, place))
        else:
            reading.report.error(
                item,
                place,
                "wrong-type",
                f"expected a mapping in the inputs of {step.action}, got {describe(item)}",
            )
    return found


def _single(
    reading: ParseContext, node: Node, path: str, step: StepFacts
) -> list[tuple[Mapping, str]]:
    if isinstance(node, Sequence) and len(node.items) == 1:
        node, path = node.items[0], f"{path}[0]"
    if isinstance(node, Mapping):
        return [(node, path)]
    got = describe(node)
    if isinstance(node, Sequence):
        got = f"a list of {len(node.items)}"
    reading.report.error(
        node, path, "wrong-type", f"expected a mapping as inputs of {step.action}, got {got}"
    )
    return []


def _operation(
    reading: ParseContext, node: Mapping, path: str, found: Schema, step: StepFacts
) -> Lookup[str, Value]:
    report = reading.report
    operation: dict[str, Value] = {}
    sound = True
    for key, (where, value_node) in node.entries.items():
        value = operation[key] = value_of(value_node)
        field = found.fields.get(key)
        place = f"{path}.{key}"
        if field is None:
            _unknown(reading, where, place, key, found)
            continue
        if any(platform not in field.platforms for platform in reading.platforms):
            refused = [p for p in reading.platforms if p not in field.platforms]
            report.error(
                where,
                place,
                "wrong-platform",
                failure(
                    step, f"the input {key!r} is not supported for os platform {', '.join(refused)}"
                ),
            )
        held = False
        for text, text_path in texts_of(value_node, place):
            held = reading.references.text(text, text_path, step, Position.INPUTS) or held
        if held and not isinstance(value, list | dict):
            continue
        if not _judge(reading, value_node, place, field, key):
            sound = False
        elif not held:
            operation[key] = field.record(value)
    for key in sorted(found.required - operation.keys()):
        sound = False
        report.error(node, path, "missing-input", f"the input {key!r} of {step.action} is required")
    if sound and found.conflict is not None and (problem := found.conflict(operation)):
        report.error(node, path, "conflict", f"{step.action}: {problem}")
    return operation


def _unknown(reading: ParseContext, where: Located, path: str, key: str, found: Schema) -> None:
    if (found.name, key) in TOLERATED:
        reading.report.warning(
            where,
            path,
            "ignored-key",
            f"{found.name} has no input {quoted(key)}: it is ignored, as AWSTOE does",
        )
        return
    hint = reading.report.suggestion(key, found.fields)
    if not hint:
        known = ", ".join(found.fields)
        hint = f"its inputs are {known}" if known else "it has no inputs"
    reading.report.error(
        where, path, "unknown-input", f"{found.name} has no input {quoted(key)}", hint
    )


def _judge(reading: ParseContext, node: Node, path: str, field: Field, key: str) -> bool:
    """Whether the value is right on every platform asked for; if not, it is reported once."""
    value = value_of(node)
    for platform in reading.platforms:
        problem = field.problem(value, platform)
        if problem is None:
            continue
        where, hint = node, ""
        entry = _ENTRY.match(problem)
        if entry and isinstance(node, Sequence):
            position = int(entry[1]) - 1
            where = node.items[position]
            path = f"{path}[{position}]"
            problem = problem[entry.end() :]
            if isinstance(field, TextList) and isinstance(where, Mapping):
                hint = "': ' makes this a mapping: put the whole text in quotes, or use a '|' block"
        elif isinstance(node, Scalar) and isinstance(field, TextList):
            hint = "put '- ' before it"
        reading.report.error(where, path, "wrong-value", f"the input {key!r}: {problem}", hint)
        return False
    return True
