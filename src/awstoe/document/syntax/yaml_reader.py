"""Reads YAML text with libyaml and sends its events to a tree builder.

PyYAML's C parser is driven event by event, because its own composer recurses in C and crashes the
process on a deeply nested document. Reading stops at the first event that is rejected, so anything
hostile after it is never read.
"""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from awstoe import limits
from awstoe.document.diagnostics import Unreadable
from awstoe.document.problems import Severity
from awstoe.document.syntax import encoding
from awstoe.document.syntax.nodes import Mapping, Scalar, Sequence, TreeBuilder
from awstoe.errors import HostError
from awstoe.expressions.values import quoted

_STANDARD: Final = "tag:yaml.org,2002:"
_SILENT_TAGS: Final = frozenset(
    {"!"} | {_STANDARD + name for name in ("str", "int", "float", "bool", "null", "seq", "map")}
)
_TEXT_TAGS: Final = frozenset({"!", _STANDARD + "str"})


class _Place:
    """A position in the text."""

    __slots__ = ("column", "line")

    def __init__(self, mark: Any) -> None:  # noqa: ANN401 - PyYAML's C extension has no types
        self.line: int = mark.line + 1
        self.column: int = mark.column + 1


def feed(text: str, builder: TreeBuilder) -> None:
    """Read YAML text into ``builder``.

    Args:
        text: The text, without characters that YAML does not allow.
        builder: Receives the events.

    Raises:
        Unreadable: The text is not YAML, or its content is not allowed in a document.
        HostError: PyYAML has no libyaml.
    """
    if not yaml.__with_libyaml__:
        raise HostError(
            f"cannot read YAML: expected PyYAML with libyaml, got PyYAML {yaml.__version__} without"
            " it",
            hint="install a wheel of PyYAML from PyPI, or build PyYAML with libyaml's headers",
        )
    if text.count("\n%TAG") > limits.YAML_DIRECTIVES:
        raise Unreadable(
            "too-many-directives",
            f"the document has more than {limits.YAML_DIRECTIVES} %TAG directives",
        )
    try:
        _feed(_events(text), builder, text)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except yaml.YAMLError as error:
        raise Unreadable("yaml-syntax", f"YAML syntax error: {error}", line=1) from None


def _events(text: str) -> Iterator[Any]:
    get_event = yaml.CBaseLoader(text).get_event
    event: Any = get_event()  # the start of the stream
    try:
        while event is not None:
            yield event
            event = get_event()
    except UnicodeDecodeError:
        # libyaml accepts tags whose escapes are not UTF-8, and PyYAML cannot decode them. No mark
        # points there, but the first % after the last event usually does.
        read = event.end_mark.index
        line = len(encoding.lines(text[: max(text.find("%", read), read)]))
        raise Unreadable(
            "bad-tag",
            "YAML syntax error: found invalid UTF-8 in a tag",
            hint="write the tag without % escapes, or quote a string that starts with '!'",
            line=line,
        ) from None


def _feed(events: Iterator[Any], builder: TreeBuilder, text: str) -> None:
    started = False
    for event in events:
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            builder.scalar(_scalar(event, builder), event.anchor)
        elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
            mark = event.start_mark
            if text.startswith("{{", mark.index) and _unquoted(mark, events, builder, text):
                continue
            collection = Sequence if kind is yaml.SequenceStartEvent else Mapping
            if event.tag is not None:
                _tag(event, builder)
            node = collection(mark.line + 1, mark.column + 1, flow=event.flow_style)
            builder.open(node, event.anchor)
        elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            builder.close()
        elif kind is yaml.AliasEvent:
            builder.alias(event.anchor, _Place(event.start_mark))
        elif kind is yaml.DocumentStartEvent:
            if started:
                raise _second_document(_Place(event.start_mark))
            started = True


def _scalar(event: Any, builder: TreeBuilder) -> Scalar:  # noqa: ANN401 - as above
    mark = event.start_mark
    node = Scalar(
        event.value,
        plain=not event.style,
        line=mark.line + 1,
        column=mark.column + 1,
        style=event.style or "",
        start=mark.index,
        end=event.end_mark.index,
    )
    if event.tag is not None:
        _tag(event, builder)
        node.plain = node.plain and event.tag not in _TEXT_TAGS
    return node


def _skip(events: Iterator[Any]) -> None:
    """Skip the rest of a collection that has just started."""
    depth = 1
    while depth:
        kind = next(events).__class__
        if kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
            depth += 1
        elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            depth -= 1


def _unquoted(
    mark: Any,  # noqa: ANN401 - as above
    events: Iterator[Any],
    builder: TreeBuilder,
    text: str,
) -> bool:
    """Report a reference without quotes, and add it as the string that it was meant to be.

    Returns:
        Whether there is one.
    """
    from awstoe.document.syntax import quoting  # noqa: PLC0415 - only a mistake needs it

    reference = quoting.reference_alone(text, mark.index)
    if not reference:
        return False
    _skip(events)
    place = _Place(mark)
    line = encoding.line_at(text, mark.index - mark.column, quoting.SEARCHED)
    found = quoting.described(line, mark.column, reference)
    builder.fault(Severity.ERROR, "unquoted-reference", place, found.message, found.hint)
    builder.scalar(
        Scalar(
            reference,
            plain=False,
            line=place.line,
            column=place.column,
            start=mark.index,
            end=mark.index + len(reference),
        )
    )
    return True


def _second_document(place: _Place) -> Unreadable:
    return Unreadable(
        "several-documents",
        "expected one YAML document in the file, got a second one",
        hint="remove the '---', or put each document into its own file",
        line=place.line,
        column=place.column,
    )


def _tag(event: Any, builder: TreeBuilder) -> None:  # noqa: ANN401 - as above
    tag = event.tag
    if tag == "!" and event.__class__ is not yaml.ScalarEvent:
        builder.fault(
            Severity.WARNING,
            "empty-tag",
            _Place(event.start_mark),
            "the '!' is a YAML tag and not part of the value",
            "quote a string that starts with '!'",
        )
    if tag in _SILENT_TAGS:
        return
    shown = "!!" + tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else tag
    builder.fault(
        Severity.WARNING,
        "unknown-tag",
        _Place(event.start_mark),
        f"the tag {quoted(shown)} has no effect; its value is used as written",
        ""
        if shown.startswith("!!")
        else "quote the string if it starts with '!', or remove the tag",
    )


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> Unreadable:
    from awstoe.document.syntax import (  # noqa: PLC0415 - only a mistake needs them
        quoting,
        syntax_hints,
    )

    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "the text cannot be read"
    message = f"YAML syntax error: {problem}"
    if error.context and error.context_mark and error.problem:
        message += f" ({error.context} that starts on line {error.context_mark.line + 1})"
    if mark is None:
        return Unreadable("yaml-syntax", message, line=1)
    hint = syntax_hints.hint(message, encoding.lines(text), mark.line, mark.column)
    if unquoted := _unquoted_before(error, text):
        return unquoted
    start = error.context_mark
    if start is not None and text[start.index : start.index + 1] == '"' and _escape(problem):
        is_json = text.lstrip()[:1] in ("{", "[")
        hint = quoting.escape_hint(quoting.double_quoted(text, start.index), json=is_json)
    if not text[mark.index :].strip():
        # Something is not closed: report where it starts.
        mark = error.context_mark or mark
    # libyaml counts one line too many at the end of a text whose last line has no line break.
    line = min(mark.line + 1, len(encoding.lines(text)))
    return Unreadable("yaml-syntax", message, hint=hint, line=line, column=mark.column + 1)


def _escape(problem: str) -> bool:
    return any(word in problem for word in ("escape", "hexdecimal"))


def _unquoted_before(error: yaml.MarkedYAMLError, text: str) -> Unreadable | None:
    """Return the problem of a value that starts with a reference, if that caused ``error``."""
    from awstoe.document.syntax import quoting  # noqa: PLC0415 - only a mistake needs it

    marks = [mark for mark in (error.context_mark, error.problem_mark) if mark is not None]
    if not marks or "{{" not in text:
        return None
    shown = encoding.lines(text)
    for number in sorted({mark.line for mark in marks}):
        if number < len(shown) and (found := quoting.unquoted_reference(shown[number])):
            return Unreadable(
                "unquoted-reference",
                found.message,
                hint=found.hint,
                line=number + 1,
                column=found.column,
            )
    return None
