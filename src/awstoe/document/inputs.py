"""Parses the inputs of a step and checks them against the action's schema.

A string that contains references is checked during the run, when their values are known. A list or
mapping that contains references is checked now, because each reference is within one entry.
"""

from collections.abc import Mapping as Lookup
from typing import Final

from awstoe.actions import schema
from awstoe.actions.fields import Field, ParameterList, TextList, TextMap
from awstoe.actions.schema import Schema
from awstoe.actions.table import ActionSpec, Shape
from awstoe.document import input_hints
from awstoe.document.keys import listed
from awstoe.document.parse_context import ParseContext
from awstoe.document.references import Position, texts_of
from awstoe.document.scope import StepFacts
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe, value_of
from awstoe.expressions import references
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
    holder: Mapping,
    path: str,
    spec: ActionSpec,
    step: StepFacts,
) -> Operations:
    """Parse the operations of a step and report their problems.

    Args:
        context: The document that is parsed.
        node: The value of ``inputs``, or None.
        holder: The step.
        path: The path of ``inputs``.
        spec: The step's action.
        step: The step.
    """
    if node is None:
        if not spec.inputs_optional and "inputs" not in holder.excused:
            context.diagnostics.error(
                holder.key("inputs"),
                path,
                "no-inputs",
                failure(step, f"Action {step.action} has no inputs; it requires an 'inputs'"),
                input_hints.form(schema.schema(step.action), None),
            )
        return ()
    found = schema.schema(step.action)
    if spec.shape is Shape.LIST:
        nodes = _several(context, node, path, found, step)
    else:
        nodes = _single(context, node, path, found, step)
    return tuple(_operation(context, item, place, found, step) for item, place in nodes)


def _several(
    context: ParseContext, node: Node, path: str, found: Schema, step: StepFacts
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
            input_hints.form(found, node),
        )
        return []
    mappings = []
    for position, item in enumerate(node.items):
        place = f"{path}[{position}]"
        if isinstance(item, Mapping):
            mappings.append((item, place))
        else:
            context.diagnostics.error(
                item,
                place,
                "wrong-type",
                f"the inputs of {step.action}: expected each entry to be a mapping,"
                f" got {describe(item)}",
                input_hints.form(found, item),
            )
    return mappings


def _single(
    context: ParseContext, node: Node, path: str, found: Schema, step: StepFacts
) -> list[tuple[Mapping, str]]:
    given = node
    if isinstance(node, Sequence) and len(node.items) == 1:
        node, path = node.items[0], f"{path}[0]"
    if isinstance(node, Mapping):
        return [(node, path)]
    got = describe(node)
    if isinstance(node, Sequence):
        got = f"a list of {len(node.items)}"
    context.diagnostics.error(
        node,
        path,
        "wrong-type",
        f"the inputs of {step.action}: expected a mapping, got {got}",
        input_hints.form(found, given),
    )
    return []


def _operation(
    context: ParseContext, node: Mapping, path: str, found: Schema, step: StepFacts
) -> Lookup[str, Value]:
    diagnostics = context.diagnostics
    operation: dict[str, Value] = {}
    sound = True
    unknown = _unknown_inputs(context, node, path, found)
    for written, (where, value_node) in node.entries.items():
        key, value, place = unknown.get(written, written), value_of(value_node), f"{path}.{written}"
        operation[key or written] = value
        field = found.fields.get(key)
        if field is None:
            continue
        if key != written and isinstance(field, TextList) and isinstance(value_node, Scalar):
            sound = False  # the hint for the key has shown how the value is written
            continue
        if value is None and key not in found.required:
            context.scalars.value(value_node, place)
            del operation[key]  # the same as left out
            continue
        if unsupported := [p for p in context.platforms if p not in field.platforms]:
            message = f"the input {key!r} is not supported for os platform {', '.join(unsupported)}"
            hint = f"remove it, or move it to a step that runs only on {listed(field.platforms)}"
            diagnostics.error(where, place, "wrong-platform", failure(step, message), hint)
        has_references = _refers(context, value_node, place, step)
        context.scalars.input(field, value_node, place)
        if has_references and _may_fit(field, value):
            continue
        if not _check(context, value_node, place, field, key):
            sound = False
        elif not has_references:
            operation[key] = field.record(value)
    if _is_complete(context, node, path, found, operation, unknown) and sound:
        _check_conflict(context, node, path, found, operation)
    return operation


def _is_complete(
    context: ParseContext,
    node: Mapping,
    path: str,
    found: Schema,
    operation: Lookup[str, Value],
    unknown: Lookup[str, str],
) -> bool:
    """Report required inputs that are missing; return whether none is."""
    missing = sorted(found.required - operation.keys())
    if len(missing) == 1 and "" in unknown.values():
        return False  # it may be the unknown one, whose hint names it
    for key in missing:
        message = f"the input {key!r} of {found.name} is required"
        hint = input_hints.missing(found, key, node)
        context.diagnostics.error(node, path, "missing-input", message, hint)
    return not missing


def _check_conflict(
    context: ParseContext, node: Mapping, path: str, found: Schema, operation: Lookup[str, Value]
) -> None:
    """Report inputs that exclude each other."""
    problem = found.conflict(operation) if found.conflict else None
    if problem is None:
        return
    entry = node.entries.get(found.conflict_at)
    hint = f"change {found.conflict_at!r}, or the inputs next to it" if entry else ""
    context.diagnostics.error(
        entry[1] if entry else node, path, "conflict", f"{found.name}: {problem}", hint
    )


def _may_fit(field: Field, value: Value) -> bool:
    """Whether only the run can tell if a value with references fits its input.

    A string in which a reference is only a part stays a string, which is never a list.
    """
    if isinstance(value, list | dict):
        return False
    if not isinstance(field, TextList | TextMap | ParameterList):
        return True
    parts = references.parts(str(value).strip())
    return len(parts) == 1 and not isinstance(parts[0], str)


def _refers(context: ParseContext, node: Node, path: str, step: StepFacts) -> bool:
    """Check all references in ``node``; return whether there are any."""
    found = False
    for text, place in texts_of(node, path):
        found |= context.references.text(text, place, step, Position.INPUTS)
    return found


def _unknown_inputs(
    context: ParseContext, node: Mapping, path: str, found: Schema
) -> dict[str, str]:
    """Report the unknown inputs; return what each was meant to be, as far as that is clear."""
    return {
        key: _unknown(context, node, path, key, found)
        for key in node.entries
        if key not in found.fields
    }


def _unknown(context: ParseContext, node: Mapping, path: str, key: str, found: Schema) -> str:
    where, path = node.entries[key][0], f"{path}.{key}"
    if (found.name, key) in TOLERATED:
        context.diagnostics.warning(
            where,
            path,
            "ignored-key",
            f"{found.name} has no input {quoted(key)}: it is ignored, as in Amazon's AWSTOE",
            "remove it",
        )
        return key
    meant, hint = input_hints.unknown(context, node, key, found)
    context.diagnostics.error(
        where, path, "unknown-input", f"{found.name} has no input {quoted(key)}", hint
    )
    return meant


def _check(context: ParseContext, node: Node, path: str, field: Field, key: str) -> bool:
    """Check the value on all platforms; return False after reporting its problems."""
    if isinstance(node, Sequence) and isinstance(field, TextList):
        wrong = [i for i, item in enumerate(node.items) if not _is_text(item)]
        for position in wrong:
            item = node.items[position]
            context.diagnostics.error(
                item,
                f"{path}[{position}]",
                "wrong-value",
                f"the input {key!r}: expected a string, got {describe(item)}",
                context.scalars.quoted_line(item)
                or input_hints.entry(item)
                or context.scalars.error_hint(item, field),
            )
        if wrong:
            return False
    value = value_of(node)
    for platform in context.platforms:
        problem = field.problem(value, platform)
        if problem is None:
            continue
        where = node
        if problem.entry is not None and isinstance(node, Sequence):
            where = node.items[problem.entry]
            path = f"{path}[{problem.entry}]"
        context.diagnostics.error(
            where,
            path,
            "wrong-value",
            f"the input {key!r}: {problem.message}",
            context.scalars.error_hint(where, field)
            or input_hints.value(context, field, key, where),
        )
        return False
    return True


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.is_null
