"""Parses the loop of a step."""

from collections.abc import Mapping as Lookup
from typing import Final, NamedTuple

from awstoe.document import expect, keys
from awstoe.document.declarations import flow_text
from awstoe.document.names import name_hint, name_problem
from awstoe.document.parse_context import ParseContext
from awstoe.document.references import Position
from awstoe.document.scope import StepFacts
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe, value_of
from awstoe.expressions import loops, references
from awstoe.expressions.loops import ForEachList, ForEachText, ForLoop, Loop
from awstoe.expressions.values import Value, quoted

_LIST: Final = "'forEach: [a, b]'"
_COUNT: Final = "'for: {start: 1, end: 3, updateBy: 1}'"
_KINDS: Final = ("for", "forEach")
_NUMBERS: Final = ("start", "end", "updateBy")
_SHOWN: Final = 60
"""Characters of a list in a hint."""
_ESCAPES: Final = {"\\n": "\n", "\\t": "\t"}


class ParsedLoop(NamedTuple):
    """A loop, typed and as written in the document."""

    loop: Loop
    record: Lookup[str, Value]


def parse_loop(context: ParseContext, node: Node, path: str, step: StepFacts) -> ParsedLoop | None:
    """Parse the loop of a step; return None after reporting its problems."""
    diagnostics = context.diagnostics
    holder = expect.mapping(diagnostics, node, path, "'loop'", _form(node))
    if holder is None:
        return None
    name = _name(context, holder, path, step)
    kinds = [kind for kind in _KINDS if holder.given(kind)]
    if len(kinds) != 1:
        if kinds or "for" not in holder.excused:
            diagnostics.error(
                holder.key(kinds[1]) if kinds else holder,
                path,
                "wrong-loop",
                f"'loop': expected either 'for' or 'forEach', got {'both' if kinds else 'neither'}",
                "remove one of them" if kinds else f"add {_LIST}, or {_COUNT}",
            )
        return None
    kind = kinds[0]
    inner = holder.entries[kind][1]
    place = f"{path}.{kind}"
    record = value_of(holder)
    assert isinstance(record, dict)  # noqa: S101 - the value of a mapping
    if kind == "for":
        counted = _for(context, inner, place, name)
        if counted is None:
            return None
        numbers: dict[str, Value] = {
            "start": counted.start,
            "end": counted.end,
            "updateBy": counted.update_by,
        }
        return ParsedLoop(counted, record | {"for": numbers})
    each = _for_each(context, inner, place, name, step)
    return None if each is None else ParsedLoop(each, record)


def _form(node: Node) -> str:
    """Return the hint for a loop that is not a mapping."""
    if isinstance(node, Scalar) and node.text.isdecimal():
        return f"write 'loop: {{for: {{start: 1, end: {node.text}, updateBy: 1}}}}'"
    if isinstance(node, Sequence):
        if any(isinstance(item, Mapping) for item in node.items):
            return f"remove the '- ' below 'loop:', as in 'loop: {{{_LIST[1:-1]}}}'"
        return f"write 'loop: {{forEach: {_values(node)}}}'"
    return f"put {_LIST} under 'loop', or {_COUNT}"


def _values(node: Node) -> str:
    """Return the strings of a list, or of a string with commas, as a list in one line."""
    texts = (
        [item.text for item in node.items if isinstance(item, Scalar)]
        if isinstance(node, Sequence)
        else []
    )
    if isinstance(node, Scalar):
        texts = [part.strip() for part in node.text.split(",") if part.strip()]
    shown = ", ".join(map(flow_text, texts)) if texts else "a, b"
    return f"[{shown}]" if len(shown) <= _SHOWN else "[a, b]"


def _name(context: ParseContext, node: Mapping, path: str, step: StepFacts) -> str:
    entry = node.given("name")
    if entry is None:
        return ""
    name = expect.text(context.diagnostics, entry[1], f"{path}.name", "the loop's name")
    if name is None:
        return ""
    if problem := name_problem(name, "loop", f" in step '{step.name}'"):
        context.diagnostics.error(entry[1], f"{path}.name", "bad-name", problem, name_hint(name))
    return name


def _for(context: ParseContext, node: Node, path: str, name: str) -> ForLoop | None:
    diagnostics = context.diagnostics
    hint = (
        f"write 'for: {{start: 1, end: {node.text}, updateBy: 1}}'"
        if isinstance(node, Scalar) and node.text.isdecimal()
        else "to loop over a list, write 'forEach' in place of 'for'"
        if isinstance(node, Sequence)
        else f"write {_COUNT}"
    )
    holder = expect.mapping(diagnostics, node, path, "'for'", hint)
    if holder is None:
        return None
    holder = keys.check(diagnostics, context.platforms, holder, path, keys.COUNT)
    numbers = []
    for key in _NUMBERS:
        entry = holder.entries.get(key)
        if entry is None:
            expect.missing_key(diagnostics, holder, path, key, "'for'", f"write {_COUNT}")
            continue
        number = expect.integer(diagnostics, entry[1], f"{path}.{key}", f"{key!r}")
        if number is not None:
            numbers.append(number)
    if len(numbers) != len(_NUMBERS):
        return None
    start, end, update_by = numbers
    if problem := loops.for_problem(start, end, update_by):
        diagnostics.error(
            holder.entries["updateBy"][1],
            f"{path}.updateBy",
            "endless-loop",
            problem,
            f"write 'updateBy: {-(abs(update_by) or 1) if end < start else abs(update_by) or 1}'",
        )
        return None
    return ForLoop(name, start, end, update_by)


def _for_each(
    context: ParseContext, node: Node, path: str, name: str, step: StepFacts
) -> ForEachList | ForEachText | None:
    diagnostics = context.diagnostics
    if isinstance(node, Sequence):
        values = []
        for position, item in enumerate(node.items):
            value = _text(context, item, f"{path}[{position}]", "an entry of 'forEach'", step)
            if value is not None:
                values.append(value)
        if not node.items:
            hint = "add an entry, or remove the loop"
            diagnostics.error(node, path, "empty-list", "'forEach' needs at least one entry", hint)
            return None
        return ForEachList(name, tuple(values)) if len(values) == len(node.items) else None
    if not isinstance(node, Mapping):
        diagnostics.error(
            node,
            path,
            "wrong-type",
            "'forEach': expected a list, or a mapping with 'list' and 'delimiter',"
            f" got {describe(node)}",
            f"write 'forEach: {{list: {flow_text(node.text)}, delimiter: \",\"}}' to split it"
            if references.find(node.text)
            else f"write 'forEach: {_values(node)}'",
        )
        return None
    node = keys.check(diagnostics, context.platforms, node, path, keys.SPLIT)
    if "list" not in node.entries:
        expect.missing_key(
            diagnostics, node, path, "list", "'forEach'", "write the text to split under 'list'"
        )
        return None
    text = _text(context, node.entries["list"][1], f"{path}.list", "'list'", step)
    delimiter = _delimiter(context, node, path)
    if text is None or delimiter is None:
        return None
    return ForEachText(name, text, delimiter)


def _text(context: ParseContext, node: Node, path: str, what: str, step: StepFacts) -> str | None:
    hint = "write strings: each iteration has one" if isinstance(node, Mapping) else ""
    if hint:
        message = f"{what}: expected a string, got {describe(node)}"
        context.diagnostics.error(node, path, "wrong-type", message, hint)
        return None
    text = expect.text(context.diagnostics, node, path, what, expect.EMPTY_TEXT)
    if text is not None and isinstance(node, Scalar):
        context.references.text(node, path, step, Position.LOOP)
        context.scalars.value(node, path)
    return text


def _delimiter(context: ParseContext, node: Mapping, path: str) -> str | None:
    entry = node.given("delimiter")
    if entry is None:
        return loops.DEFAULT_DELIMITER
    path = f"{path}.delimiter"
    text = expect.text(context.diagnostics, entry[1], path, "'delimiter'")
    if text is None:
        return None
    # Without double quotes, YAML reads '\n' as a backslash and a letter. Authors mean a line break.
    text = _ESCAPES.get(text, text)
    if text in loops.DELIMITERS:
        return text
    known = " ".join(repr(delimiter) for delimiter in loops.DELIMITERS)
    context.diagnostics.error(
        entry[1],
        path,
        "bad-delimiter",
        f"'delimiter': expected one of {known}, got {quoted(text)}",
        "separate the entries of the list by one of these",
    )
    return None
