"""YAML text to tree-builder events, by libyaml when PyYAML was built with it.

Both of PyYAML's parsers are driven event by event: their own composers recurse, and libyaml's
crashes the process on a document that is nested deep enough. Reading stops at the first event that
is refused, so nothing hostile further on is ever looked at.
"""

from collections.abc import Iterable
from typing import Any, Final

import yaml

from awstoe import limits
from awstoe.document.diagnostics import Unreadable
from awstoe.document.problems import Severity
from awstoe.document.syntax import encoding
from awstoe.document.syntax.nodes import Mapping, Scalar, Sequence, TreeBuilder
from awstoe.expressions.values import quoted

HAS_LIBYAML: Final[bool] = yaml.__with_libyaml__

_STANDARD: Final = "tag:yaml.org,2002:"
_SILENT_TAGS: Final = frozenset(
    {"!"} | {_STANDARD + name for name in ("str", "int", "float", "bool", "null", "seq", "map")}
)
_TEXT_TAGS: Final = frozenset({"!", _STANDARD + "str"})


class _Place:
    """A place that no node has."""

    __slots__ = ("column", "line")

    def __init__(self, mark: Any) -> None:  # noqa: ANN401 - the marks of two parsers, untyped
        self.line: int = mark.line + 1
        self.column: int = mark.column + 1


def feed(text: str, builder: TreeBuilder, *, libyaml: bool = HAS_LIBYAML) -> None:
    """Read YAML text into ``builder``.

    Args:
        text: The text; it holds no characters that YAML refuses.
        builder: Gets the events.
        libyaml: Whether to use libyaml rather than Python's parser.

    Raises:
        Unreadable: The text is no YAML, or the builder refuses what it says.
    """
    if text.count("\n%TAG") > limits.YAML_DIRECTIVES:
        raise Unreadable(
            "too-many-directives",
            f"the document has more than {limits.YAML_DIRECTIVES} %TAG directives",
        )
    parser = _parser(text, libyaml=libyaml)
    try:
        _feed(_events(parser), builder)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except yaml.YAMLError as error:
        raise Unreadable("yaml-syntax", f"YAML syntax error: {error}", line=1) from None
    except (ValueError, OverflowError):
        # PyYAML's own scanner hands an escape such as "\UFFFFFFFF" to chr() unseen.
        place = _Place(parser.get_mark())
        raise Unreadable(
            "yaml-syntax",
            "YAML syntax error: found invalid Unicode character escape code",
            line=place.line,
            column=place.column,
        ) from None


def _parser(text: str, *, libyaml: bool) -> Any:  # noqa: ANN401 - the parsers share no type
    if libyaml:
        return yaml.CBaseLoader(text)
    # Loaded only where there is no libyaml.
    from awstoe.document.syntax.yaml_python import PythonParser  # noqa: PLC0415

    return PythonParser(text)


def _events(parser: Any) -> Iterable[Any]:  # noqa: ANN401 - as above
    return iter(parser.get_event, None)


def _feed(events: Iterable[Any], builder: TreeBuilder) -> None:
    begun = False
    for event in events:
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            builder.scalar(_scalar(event, builder), event.anchor)
        elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
            mark = event.start_mark
            collection = Sequence if kind is yaml.SequenceStartEvent else Mapping
            if event.tag is not None:
                _tag(event, builder)
            builder.open(collection(mark.line + 1, mark.column + 1), event.anchor)
        elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            builder.close()
        elif kind is yaml.AliasEvent:
            builder.alias(event.anchor, _Place(event.start_mark))
        elif kind is yaml.DocumentStartEvent:
            if begun:
                raise _second_document(_Place(event.start_mark))
            begun = True


def _scalar(event: Any, builder: TreeBuilder) -> Scalar:  # noqa: ANN401 - as above
    mark = event.start_mark
    node = Scalar(event.value, plain=not event.style, line=mark.line + 1, column=mark.column + 1)
    if event.tag is not None:
        _tag(event, builder)
        node.plain = node.plain and event.tag not in _TEXT_TAGS
    if not node.plain and not node.text.isascii():
        _refuse_surrogates(node)
    return node


def _second_document(place: _Place) -> Unreadable:
    return Unreadable(
        "several-documents",
        "expected one YAML document in the file, got a second one",
        hint="remove the '---', or put each document into a file of its own",
        line=place.line,
        column=place.column,
    )


def _tag(event: Any, builder: TreeBuilder) -> None:  # noqa: ANN401 - as above
    tag = event.tag
    if tag in _SILENT_TAGS:
        return
    shown = "!!" + tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else tag
    builder.fault(
        Severity.WARNING,
        "unknown-tag",
        _Place(event.start_mark),
        f"the tag {quoted(shown)} means nothing here: its value is read as it stands",
    )


def _refuse_surrogates(node: Scalar) -> None:
    """Refuse half characters, which libyaml refuses as well."""
    if any("\ud800" <= character <= "\udfff" for character in node.text):
        raise Unreadable(
            "yaml-syntax",
            "YAML syntax error: found invalid Unicode character escape code",
            hint="write a character beyond U+FFFF as \\U followed by 8 digits",
            line=node.line,
            column=node.column,
        )


_LAYOUT: Final = (
    "check the indentation of this line; a text that holds ': ', or goes on after a closing quote,"
    " has to be quoted as a whole"
)
_HINTS: Final = (
    ("\\t", "YAML does not allow tabs for indentation: use spaces"),
    (
        "cannot start any token",
        "tabs cannot indent, and text that begins with @ ` or % needs quotes",
    ),
    ("tab character", "YAML does not allow tabs for indentation: use spaces"),
    ("mapping values are not allowed", "a text that holds ': ' has to be quoted"),
    ("expected key", _LAYOUT),
    ("block end", _LAYOUT),
    ("could not find expected ':'", "is there a ':' after the key?"),
    ("'-' indicator", _LAYOUT),
    ("undefined tag handle", "a text that begins with '!' has to be quoted"),
    ("scanning an alias", "a text that begins with '*' has to be quoted"),
    ("scanning an anchor", "a text that begins with '&' or '*' has to be quoted"),
    ("quoted scalar", "is the closing quote there?"),
)


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    said = error.problem or error.context or "the text cannot be read"
    message = f"YAML syntax error: {said}"
    if error.context and error.context_mark and error.problem:
        message += f" ({error.context} that begins in line {error.context_mark.line + 1})"
    hint = next((hint for words, hint in _HINTS if words in message), "")
    if mark is None:
        return Unreadable("yaml-syntax", message, hint=hint, line=1)
    if not text[mark.index :].strip():
        # Something has no end: the place to look at is where it begins.
        mark = error.context_mark or mark
    # libyaml counts a line more at the end of a text whose last line has no line break.
    line = min(mark.line + 1, len(encoding.lines(text)))
    return Unreadable("yaml-syntax", message, hint=hint, line=line, column=mark.column + 1)
