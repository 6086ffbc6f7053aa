"""Says what to do about inputs that are missing, unknown, or of a wrong type."""

import re
from typing import Final, TypeGuard

from awstoe.actions.fields import (
    Boolean,
    Field,
    Integer,
    ParameterList,
    Pattern,
    TextList,
    TextMap,
)
from awstoe.actions.permissions import Permissions
from awstoe.actions.schema import Schema
from awstoe.actions.table import Shape
from awstoe.document import expect, keys
from awstoe.document.declarations import flow_text
from awstoe.document.keys import Meaning
from awstoe.document.parse_context import ParseContext
from awstoe.document.scalars import shell_text
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence
from awstoe.expressions.values import quoted
from awstoe.late_patterns import pattern

_S3_HOST: Final = pattern(
    r"https?://(?:(?P<bucket>[\w.-]+)\.s3[\w.-]*\.amazonaws\.com/"
    r"|s3[\w.-]*\.amazonaws\.com/(?P<first>[\w.-]+)/)(?P<key>\S+)"
)
_SHOWN: Final = 3
"""Entries that a hint shows."""
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
        if given is not None and (_has_lines(node) or any("\n" in line for line in given)):
            return "write 'commands:' below 'inputs:', '- |' below that, and indent the script"
        if given:
            shown["commands"] = f"[{', '.join(map(flow_text, given[:3]))}]"
        if isinstance(node, Sequence) and all(_is_commands(item) for item in node.items):
            return "write 'commands:' once, without '- ' before it, and all commands below it"
    text = ", ".join(f"{key}: {example}" for key, example in shown.items())
    inputs = f"[{{{text}}}]" if found.row.shape is Shape.LIST else f"{{{text}}}"
    return f"write 'inputs: {inputs}'"


def _has_lines(node: Node | None) -> bool:
    """Whether a string has several lines in the document, although YAML may have joined them."""
    if not isinstance(node, Scalar):
        return False
    if node.style:
        return node.style == ">" or "\n" in node.text.rstrip("\n")
    return node.end - node.start > len(node.text)


def _lines(node: Node | None) -> list[str] | None:
    """Return the texts of a scalar, or of a list of scalars or of mappings with one scalar."""
    texts = []
    for item in node.items if isinstance(node, Sequence) else [node]:
        only = next(iter(item.entries.values()))[1] if _is_single(item) else item
        if not isinstance(only, Scalar):
            return None
        texts.append(only.text)
    return texts


def _is_single(node: Node | None) -> TypeGuard[Mapping]:
    return isinstance(node, Mapping) and len(node.entries) == 1


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
    meant, hint = keys.meaning(context.diagnostics, context.platforms, key, free, "INPUT")
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
        return keys.meaning(context.diagnostics, (), node.text, field.choices, "CHOICE").hint
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
            return f"write '{key}: [{_parameters(node)}]'"
        case TextMap() if not isinstance(node, Mapping):
            return f"write '{key}: {{NAME: VALUE}}'"
        case Pattern() if isinstance(node, Scalar) and "s3://" in field.expected:
            return f"write {quoted(_s3_form(node.text))}"
        case _ if not isinstance(node, Scalar):
            return expect.one_string(node, "make an entry of 'inputs' for each")
        case Permissions():
            return _permissions(node.text)
        case _:
            return ""


def _permissions(text: str) -> str:
    """Return how permissions are written; those of ``ls`` are converted."""
    found = re.fullmatch(r"[-d]?([-rwx]{9})", text.strip())
    if found is None:
        return _PERMISSIONS
    bits = "".join("0" if sign == "-" else "1" for sign in found[1])
    return f"write '0{int(bits, 2):03o}' in quotes"


def _parameters(node: Node) -> str:
    """Return how the parameters of a nested document are written."""
    given: list[tuple[str, str]] = []
    if isinstance(node, Mapping):
        given = [
            (name, value.text)
            for name, (_, value) in node.entries.items()
            if isinstance(value, Scalar)
        ]
    elif isinstance(node, Scalar) and "=" in node.text:
        name, _, text = node.text.partition("=")
        given = [(name.strip(), text.strip())]
    if set(dict(given)) & {"name", "value"}:
        given = [(dict(given).get("name", "NAME"), dict(given).get("value", "VALUE"))]
    return ", ".join(
        f"{{name: {flow_text(name)}, value: {flow_text(text)}}}"
        for name, text in given[:_SHOWN] or [("NAME", "VALUE")]
    )


def _s3_form(text: str) -> str:
    """Return the S3 URI that a web address or a path of S3 means."""
    if found := _S3_HOST.fullmatch(text):
        return f"s3://{found['bucket'] or found['first']}/{found['key']}"
    if found := re.fullmatch(r"(?:s3:/*)?(?P<bucket>[a-z0-9][a-z0-9.-]+)/(?P<key>\S*)", text):
        return f"s3://{found['bucket']}/{found['key'] or 'KEY'}"
    return "s3://BUCKET/KEY"


def _list_hint(key: str, node: Node) -> str:
    if isinstance(node, Mapping):
        values = [value.text for _, value in node.entries.values() if isinstance(value, Scalar)]
        if len(values) == len(node.entries) <= _SHOWN and not any("\n" in v for v in values):
            return f"write '{key}: [{', '.join(map(flow_text, values))}]'"
    if isinstance(node, Sequence) and not node.items:
        return f"write '{key}: {_EXAMPLES[key]}'" if key == "commands" else f"remove {key!r}"
    if not isinstance(node, Scalar):
        return f"write '- ' before each string below '{key}:'"
    text = node.text.rstrip("\n")
    if _has_lines(node):
        return f"write '- |' on a line of its own below '{key}:', and indent the text below it"
    if not text.strip():
        return f"write '{key}: {_EXAMPLES[key]}'" if key == "commands" else f"remove {key!r}"
    if key == "arguments":
        words = ", ".join(map(flow_text, shell_text.words(text)))
        return f"write each argument as an entry: '{key}: [{words}]'"
    if key != "commands" and "," in text:
        words = ", ".join(flow_text(word.strip()) for word in text.split(",") if word.strip())
        return f"write '{key}: [{words}]'"
    return f"write '{key}: [{flow_text(text)}]'"
