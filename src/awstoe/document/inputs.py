"""Parses the inputs of a step and checks them against the action's schema.

A string that contains references is checked during the run, when their values are known. A list or
mapping that contains references is checked now, because each reference is within one entry.
"""

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
"""Unknown inputs that real documents contain and AWSTOE accepts."""

Operations = tuple[Lookup[str, Value], ...]


def failure(step: StepFacts, message: str) -> str:
    """Return ``message`` in AWSTOE's wording for a problem with a step."""
    return f"Parsing step '{step.name}' in phase '{step.phase}' failed. Error: {message}"


def parse_inputs(
    context: ParseContext,
    node: Node | None,
    where: Located,
    path: str,
    spec: ActionSpec,
    step: StepFacts,
) -> Operations:
    """Parse the operations of a step and report their problems.

    Args:
        context: The document that is parsed.
        node: The value of ``inputs``, or None.
        where: The position of that key, or of the step.
        path: The path of ``inputs``.
        spec: The step's action.
        step: The step.
    """
    if node is None:
        if not spec.inputs_optional:
            context.diagnostics.error(
                where,
                path,
                "no-inputs",
                failure(step, f"Action {step.action} has no inputs; it requires an 'inputs'"),
            )
        return ()
    found = schema.schema(step.action)
    if spec.shape is Shape.LIST:
        nodes = _several(context, node, path, step)
    else:
        nodes = _single(context, node, path, step)
    return tuple(_operation(context, item, place, found, step) for item, place in nodes)


def _several(
    context: ParseContext, node: Node, path: str, step: StepFacts
) -> list[tuple[Mapping, str]]:
    if isinstance(node, Mapping):
        return [(node, path)]
    if not isinstance(node, Sequence) or not node.items:
        got = describe(node) if not isinstance(node, Sequence) else "an empty list"
        context.diagnostics.error(
            node,
            path,
            "wrong-type",
            f"the inputs of {step.action}: expected a list of mappings, got {got}",
        )
        return []
    found = []
    for position, item in enumerate(node.items):
        place = f"{path}[{position}]"
        if isinstance(item, Mapping):
            found.append((item, place))
        else:
            context.diagnostics.error(
                item,
                place,
                "wrong-type",
                f"the inputs of {step.action}: expected each entry to be a mapping,"
                f" got {describe(item)}",
            )
    return found


def _single(
    context: ParseContext, node: Node, path: str, step: StepFacts
) -> list[tuple[Mapping, str]]:
    if isinstance(node, Sequence) and len(node.items) == 1:
        node, path = node.items[0], f"{path}[0]"
    if isinstance(node, Mapping):
        return [(node, path)]
    got = describe(node)
    if isinstance(node, Sequence):
        got = f"a list of {len(node.items)}"
    context.diagnostics.error(
        node, path, "wrong-type", f"the inputs of {step.action}: expected a mapping, got {got}"
    )
    return []


def _operation(
    context: ParseContext, node: Mapping, path: str, found: Schema, step: StepFacts
) -> Lookup[str, Value]:
    diagnostics = context.diagnostics
    operation: dict[str, Value] = {}
    sound = True
    for key, (where, value_node) in node.entries.items():
        value = operation[key] = value_of(value_node)
        field = found.fields.get(key)
        place = f"{path}.{key}"
        if field is None:
            _unknown(context, where, place, key, found)
            continue
        if value is None and key not in found.required:
            context.scalars.value(value_node, place)
            del operation[key]  # the same as left out
            continue
        if unsupported := [p for p in context.platforms if p not in field.platforms]:
            message = f"the input {key!r} is not supported for os platform {', '.join(unsupported)}"
            diagnostics.error(where, place, "wrong-platform", failure(step, message))
        has_references = _refers(context, value_node, place, step)
        context.scalars.input(field, value_node, place)
        if has_references and not isinstance(value, list | dict):
            continue
        if not _check(context, value_node, place, field, key):
            sound = False
        elif not has_references:
            operation[key] = field.record(value)
    for key in sorted(found.required - operation.keys()):
        sound = False
        diagnostics.error(
            node, path, "missing-input", f"the input {key!r} of {step.action} is required"
        )
    if sound and found.conflict is not None and (problem := found.conflict(operation)):
        diagnostics.error(node, path, "conflict", f"{step.action}: {problem}")
    return operation


def _refers(context: ParseContext, node: Node, path: str, step: StepFacts) -> bool:
    """Check all references in ``node``; return whether there are any."""
    found = False
    for text, place in texts_of(node, path):
        found |= context.references.text(text, place, step, Position.INPUTS)
    return found


def _unknown(context: ParseContext, where: Located, path: str, key: str, found: Schema) -> None:
    if (found.name, key) in TOLERATED:
        context.diagnostics.warning(
            where,
            path,
            "ignored-key",
            f"{found.name} has no input {quoted(key)}: awstoe ignores it, as AWSTOE does",
        )
        return
    hint = context.diagnostics.suggestion(key, found.fields)
    if not hint:
        known = ", ".join(found.fields)
        hint = f"its inputs are {known}" if known else "it has no inputs"
    context.diagnostics.error(
        where, path, "unknown-input", f"{found.name} has no input {quoted(key)}", hint
    )


def _check(context: ParseContext, node: Node, path: str, field: Field, key: str) -> bool:
    """Check the value on all platforms; return False after reporting the first problem."""
    value = value_of(node)
    for platform in context.platforms:
        problem = field.problem(value, platform)
        if problem is None:
            continue
        where, hint = node, context.scalars.error_hint(node, field)
        if problem.entry is not None and isinstance(node, Sequence):
            where = node.items[problem.entry]
            path = f"{path}[{problem.entry}]"
            if isinstance(field, TextList) and isinstance(where, Mapping):
                hint = "': ' makes this a mapping: quote the whole string, or use a '|' block"
            else:
                hint = context.scalars.error_hint(where, field)
        elif isinstance(node, Scalar) and isinstance(field, TextList) and not hint:
            hint = "put '- ' before the string to make it a list entry"
        context.diagnostics.error(
            where, path, "wrong-value", f"the input {key!r}: {problem.message}", hint
        )
        return False
    return True
