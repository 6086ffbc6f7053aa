"""Says what to do about inputs that are missing, unknown, or of a wrong type."""

import re
from typing import Final

from awstoe.actions.fields import (
    Boolean,
    Field,
    Integer,
    ParameterList,
    TextList,
    TextMap,
)
from awstoe.actions.permissions import Permissions
from awstoe.actions.schema import Schema
from awstoe.actions.table import Shape
from awstoe.document import expect, foreign_words, keys
from awstoe.document.declarations import flow_text
from awstoe.document.keys import Meaning
from awstoe.document.parse_context import ParseContext
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence

_WORD: Final = re.compile(r"(?:\{\{[^{}]*\}\}|[^\s{]|\{(?!\{))+")
"""A word of a command line; a reference in it can have spaces."""
_PERMISSIONS: Final = "write octal digits: 0755 is rwxr-xr-x, 0644 is rw-r--r--"
_EXAMPLES: Final = {
    "commands": '["echo hello"]',
    "path": "PATH",
    "source": "SOURCE",
    "destination": "DESTINATION",
}


def form(found: Schema, node: Node | None) -> str:
    """Return how the inputs of an action are written.

    Args:
        found: The action.
        node: What the document has in their place, or None.
    """
    fields = [key for key in found.fields if key in found.required] or list(found.fields)[:1]
    if found.row.shape is Shape.CONDITION:
        return "write a condition under 'inputs', as in 'inputs: {fileExists: /etc/hostname}'"
    if not fields:
        return f"see 'awstoe actions {found.name}'"
    shown = {key: _EXAMPLES.get(key, key.upper()) for key in fields}
    if len(fields) == 1 and isinstance(node, Scalar) and not node.is_null:
        shown[fields[0]] = flow_text(node.text)
    if fields == ["commands"]:
        given = _lines(node)
        if given is not None and any("\n" in line for line in given):
            return "write 'commands:' below 'inputs:', '- |' below that, and indent the script"
        if given:
            shown["commands"] = f"[{', '.join(map(flow_text, given[:3]))}]"
        if isinstance(node, Sequence) and all(_is_commands(item) for item in node.items):
            return "write 'commands:' once, without '- ' before it, and all commands below it"
    text = ", ".join(f"{key}: {example}" for key, example in shown.items())
    inputs = f"[{{{text}}}]" if found.row.shape is Shape.LIST else f"{{{text}}}"
    return f"write 'inputs: {inputs}'"


def _lines(node: Node | None) -> list[str] | None:
    """Return the texts of a scalar or of a list of scalars."""
    items = node.items if isinstance(node, Sequence) else [node]
    if not all(isinstance(item, Scalar) for item in items):
        return None
    return [item.text for item in items if isinstance(item, Scalar)]


def _is_commands(node: Node) -> bool:
    return isinstance(node, Mapping) and list(node.entries) == ["commands"]


def missing(found: Schema, key: str, node: Mapping) -> str:
    """Return what to do about a missing input."""
    example = _EXAMPLES.get(key, "...")
    if not node.entries or found.row.shape is not Shape.LIST:
        return f"add '{key}: {example}' under 'inputs'"
    return f"add '{key}: {example}' next to {next(iter(node.entries))!r}"


def unknown(context: ParseContext, node: Mapping, key: str, found: Schema) -> Meaning:
    """Return which input an unknown one was meant to be, and what to do."""
    if key in keys.STEP.known and key not in ("name", "action", "if", "loop"):
        return Meaning("", f"{key!r} is a key of the step: indent it like 'inputs:'")
    free = [field for field in found.fields if field not in node.entries]
    meant, hint = keys.meaning(
        context.diagnostics, context.platforms, key, free, foreign_words.INPUT
    )
    if hint and isinstance(found.fields.get(meant), TextList):
        value_node = node.entries[key][1]
        if isinstance(value_node, Scalar):
            return Meaning(meant, _list_hint(meant, value_node))
    if hint:
        return Meaning(meant, hint)
    if key in keys.STEP.known:
        return Meaning("", f"{key!r} is a key of the step: indent it like 'inputs:'")
    if not found.fields:
        return Meaning("", "remove it: the action has no inputs")
    missing = sorted(found.required - node.entries.keys())
    required = f"; {missing[0]!r} is required" if len(missing) == 1 else ""
    return Meaning("", f"its inputs are {', '.join(found.fields)}{required}")


def entry(node: Node) -> str:
    """Return what to do about a list or mapping in a list of strings; else an empty string."""
    if isinstance(node, Mapping):
        if node.flow:
            return "'{' makes this a mapping: quote the whole string, or use a '|' block"
        return "': ' makes this a mapping: quote the whole string, or use a '|' block"
    if isinstance(node, Sequence):
        if node.flow:
            return "'[' makes this a list: quote the whole string, or use a '|' block"
        return "remove the second '- '"
    return ""


def value(context: ParseContext, field: Field, key: str, node: Node) -> str:
    """Return what to do about a value that does not fit its input."""
    if field.choices and isinstance(node, Scalar):
        words = foreign_words.CHOICE
        return keys.meaning(context.diagnostics, (), node.text, field.choices, words).hint
    return _form_of(field, key, node)


def _form_of(field: Field, key: str, node: Node) -> str:
    """Return how a value of the field's type is written."""
    match field:
        case TextList():
            return _list_hint(key, node)
        case Integer():
            return expect.integer_hint(node) or "write digits only"
        case Boolean():
            return "write true or false"
        case ParameterList():
            return f"write '{key}: [{{name: NAME, value: VALUE}}]'"
        case TextMap() if not isinstance(node, Mapping):
            return f"write '{key}: {{NAME: VALUE}}'"
        case _ if not isinstance(node, Scalar):
            return expect.one_string(node, "make an entry of 'inputs' for each")
        case Permissions():
            return _PERMISSIONS
        case _:
            return ""


def _list_hint(key: str, node: Node) -> str:
    if not isinstance(node, Scalar):
        return f"write '- ' before each string below '{key}:'"
    text = node.text.rstrip("\n")
    if "\n" in text:
        return f"write '- |' on a line of its own below '{key}:', and indent the text below it"
    if key == "arguments":
        words = ", ".join(map(flow_text, _WORD.findall(text)))
        return f"write each argument as an entry: '{key}: [{words}]'"
    return f"write '{key}: [{flow_text(text)}]'"
