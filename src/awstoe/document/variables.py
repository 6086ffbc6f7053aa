"""Parses parameters and constants, and binds their values for a run."""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Lookup
from typing import Final, NamedTuple

from awstoe.document import expect
from awstoe.document.declarations import flow_text
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.model import Constant, Document, Mark, Parameter
from awstoe.document.names import variable_hint, variable_problem
from awstoe.document.parse_context import ParseContext
from awstoe.document.problems import Problem, Severity
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence
from awstoe.expressions.values import quoted

_ONE: Final = "write one string"
_LIST: Final = "write a list, with '- NAME: {type: string}' for each"


class _Declaration(NamedTuple):
    """A name and its declaration."""

    name: str
    node: Mapping
    path: str
    mark: Mark


class Bound(NamedTuple):
    """The values of a document's variables."""

    values: Lookup[str, str]
    problems: list[Problem]


def bind(document: Document, given: Lookup[str, str], *, strict: bool = False) -> Bound:
    """Return the value of every parameter and constant.

    Args:
        document: The document.
        given: Parameter values by name, after precedence has been applied.
        strict: Whether warnings are errors.
    """
    report = Diagnostics(document.path)
    nowhere = Mark(0, 0)
    values = {constant.name: constant.value for constant in document.constants}
    parameters = {parameter.name: parameter for parameter in document.parameters}
    for name, value in given.items():
        parameter = parameters.get(name)
        if parameter is not None:
            if problem := _refused(value, parameter.allowed_values):
                report.error(
                    parameter.mark, "", "value-not-allowed", f"parameter {name!r}: {problem}"
                )
            values[name] = value
        elif name in values:
            report.warning(
                nowhere,
                "",
                "constant-given",
                f"a value was given for the constant {name!r}: it is ignored,"
                " constants cannot be overridden",
            )
        else:
            report.warning(
                nowhere,
                "",
                "unknown-parameter",
                f"a value was given for the parameter {quoted(name)}, which the document does not"
                " declare: it is ignored",
                report.suggestion(name, parameters),
            )
    for name, parameter in parameters.items():
        if name in values:
            continue
        if parameter.default is None:
            report.error(
                parameter.mark,
                f"parameters.{name}",
                "no-value",
                f"the parameter {name!r} has no default, and no value was given for it",
                f"give one with --parameters {name}=VALUE",
            )
        else:
            values[name] = parameter.default
    return Bound(values, report.sorted(strict=strict))


def parse_parameters(context: ParseContext, node: Node | None) -> tuple[Parameter, ...]:
    """Parse the parameters and report their problems."""
    return tuple(
        _parameter(context, declaration)
        for declaration in _declarations(context, node, "parameters")
    )


def parse_constants(
    context: ParseContext, node: Node | None, parameters: tuple[Parameter, ...]
) -> tuple[Constant, ...]:
    """Parse the constants and report their problems."""
    taken = {parameter.name: parameter.mark for parameter in parameters}
    found = []
    for declaration in _declarations(context, node, "constants"):
        if earlier := taken.get(declaration.name):
            context.diagnostics.error(
                declaration.mark,
                declaration.path,
                "duplicate-name",
                f"duplicate name {declaration.name!r}",
                f"it is also a parameter, declared on line {earlier.line}",
            )
        found.append(_constant(context, declaration))
    return tuple(found)


def _declarations(context: ParseContext, node: Node | None, section: str) -> Iterator[_Declaration]:
    """Yield the declarations of a section."""
    diagnostics = context.diagnostics
    kind = section[:-1]
    seen: dict[str, Mark] = {}
    for holder, holder_path in _holders(diagnostics, node, section):
        for name, (where, body) in holder.entries.items():
            path = f"{holder_path}.{name}"
            mark = Mark(where.line, where.column)
            if problem := variable_problem(name, kind):
                diagnostics.error(where, path, "bad-name", problem, variable_hint(name))
            if earlier := seen.get(name):
                diagnostics.error(
                    where,
                    path,
                    "duplicate-name",
                    f"duplicate name {name!r}",
                    f"the first one is on line {earlier.line}: remove or rename one of them",
                )
                continue
            seen[name] = mark
            declared = expect.mapping(diagnostics, body, path, f"the {kind} {name!r}")
            if declared is None:
                continue
            _check_type(diagnostics, declared, path, f"the {kind} {name!r}")
            yield _Declaration(name, declared, path, mark)


def _holders(
    diagnostics: Diagnostics, node: Node | None, section: str
) -> Iterator[tuple[Mapping, str]]:
    """Yield the mappings of names in a section, which is a list of mappings or one mapping."""
    if node is None:
        return
    if isinstance(node, Mapping):
        yield node, section
        return
    listed = expect.sequence(diagnostics, node, section, repr(section), _LIST)
    for position, item in enumerate(listed.items if isinstance(listed, Sequence) else ()):
        path = f"{section}[{position}]"
        holder = expect.mapping(diagnostics, item, path, f"an entry of {section!r}")
        if holder is not None:
            yield holder, path


def _check_type(diagnostics: Diagnostics, node: Mapping, path: str, owner: str) -> None:
    entry = node.entries.get("type")
    if entry is None:
        expect.missing_key(diagnostics, node, path, "type", owner, "add 'type: string'")
        return
    name = expect.text(diagnostics, entry[1], f"{path}.type", "'type'")
    if name is None or name == "string":
        return
    severity = Severity.WARNING if name == "String" else Severity.ERROR
    diagnostics.add(
        severity,
        entry[1],
        f"{path}.type",
        "spelling" if name == "String" else "wrong-value",
        f"'type': expected 'string', got {quoted(name)}",
        "write 'type: string': all values are strings",
    )


def _parameter(context: ParseContext, declaration: _Declaration) -> Parameter:
    diagnostics, node, path = context.diagnostics, declaration.node, declaration.path
    default_node = node.value("default")
    default = None
    if isinstance(default_node, Sequence | Mapping) and _has_other_type(node):
        pass  # the type is the problem
    elif default_node is not None:
        default = expect.text(diagnostics, default_node, f"{path}.default", "'default'", _ONE)
        context.scalars.value(default_node, f"{path}.default")
        context.references.warn_unresolved(default_node, f"{path}.default", "a default")
    allowed = _allowed_values(context, declaration)
    if default is not None and default_node is not None:
        problem = _refused(default, allowed)
        if problem:
            diagnostics.error(
                default_node,
                f"{path}.default",
                "value-not-allowed",
                f"the default: {problem}",
                "write one of them, or add the default to 'allowedValues'",
            )
    return Parameter(
        declaration.name, default, _description(context, declaration), allowed, declaration.mark
    )


def _has_other_type(node: Mapping) -> bool:
    """Whether the declaration has a type that is not a string; that has been reported."""
    kind = node.value("type")
    return isinstance(kind, Scalar) and kind.text not in ("string", "String")


def _allowed_values(context: ParseContext, declaration: _Declaration) -> tuple[str, ...]:
    node = declaration.node.value("allowedValues")
    if node is None:
        return ()
    path = f"{declaration.path}.allowedValues"
    listed = expect.sequence(context.diagnostics, node, path, "'allowedValues'", _values_form(node))
    if listed is None:
        return ()
    context.diagnostics.warning(
        declaration.node.key("allowedValues"),
        path,
        "not-in-awstoe",
        "Amazon's AWSTOE ignores 'allowedValues'; this program enforces them",
    )
    texts = [
        expect.text(context.diagnostics, item, f"{path}[{position}]", "an allowed value")
        for position, item in enumerate(listed.items)
    ]
    return tuple(text for text in texts if text is not None)


def _values_form(node: Node) -> str:
    """Return how a list of values is written."""
    if not isinstance(node, Scalar) or not node.text:
        return "write 'allowedValues: [a, b]'"
    values = [part.strip() for part in re.split(r"[,|]", node.text) if part.strip()]
    return f"write 'allowedValues: [{', '.join(map(flow_text, values))}]'"


def _constant(context: ParseContext, declaration: _Declaration) -> Constant:
    diagnostics, node, path = context.diagnostics, declaration.node, declaration.path
    _description(context, declaration)
    value: str | None = ""
    entry = node.entries.get("value")
    if entry is None:
        expect.missing_key(
            diagnostics,
            node,
            path,
            "value",
            f"the constant {declaration.name!r}",
            "add 'value: TEXT'; only parameters can be set by the caller",
        )
    else:
        value = expect.text(diagnostics, entry[1], f"{path}.value", "'value'", expect.EMPTY_TEXT)
        context.scalars.value(entry[1], f"{path}.value")
        context.references.warn_unresolved(entry[1], f"{path}.value", "a constant's value")
    return Constant(declaration.name, value or "", declaration.mark)


def _description(context: ParseContext, declaration: _Declaration) -> str:
    entry = declaration.node.entries.get("description")
    if entry is None:
        return ""
    path = f"{declaration.path}.description"
    return expect.free_text(context.diagnostics, entry[1], path, "'description'") or ""


def _refused(value: str, allowed: tuple[str, ...]) -> str | None:
    """Return why ``value`` is not in ``allowed``, or None."""
    if not allowed or value in allowed:
        return None
    return f"expected one of {', '.join(map(quoted, allowed))}, got {quoted(value)}"
