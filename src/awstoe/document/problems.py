"""Defines the problems of documents, and renders them with their source lines."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe.errors import DocumentError


class Severity(StrEnum):
    """How serious a problem is."""

    ERROR = "error"
    WARNING = "warning"


class Problem(NamedTuple):
    """One problem in a document."""

    file: str
    """The path as given by the user; ``<stdin>`` for standard input."""
    line: int
    """From 1; 0 if the problem has no position in the file."""
    column: int
    path: str
    """The path within the document, for example ``phases[0].steps[2].inputs``."""
    severity: Severity
    code: str
    """A stable identifier for tools, for example ``unknown-key``."""
    message: str
    hint: str
    """What to do; may be empty."""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether one of ``problems`` is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)


_TAB: Final = "    "
_WINDOW: Final = 100
"""Columns shown of a source line. A JSON document can be one line of a megabyte."""


def headline(problem: Problem) -> str:
    """Return ``file:line:column: error: message`` on one line."""
    place = f":{problem.line}:{problem.column}" if problem.line else ""
    return _visible(f"{problem.file}{place}: {problem.severity}: {problem.message}")


def render(problem: Problem, source_lines: Sequence[str]) -> str:
    """Return a problem as text: headline, source line with a caret under the position, hint.

    Args:
        problem: The problem.
        source_lines: The document's lines (``encoding.shown_lines``); may be empty.
    """
    shown = [headline(problem)]
    if 0 < problem.line <= len(source_lines):
        number = str(problem.line)
        margin = " " * len(number)
        line, caret = _excerpt(source_lines[problem.line - 1], problem.column - 1)
        shown += [f"  {number} | {line}".rstrip(), f"  {margin} | {' ' * caret}^"]
    if problem.hint:
        shown.append(f"  hint: {_visible(problem.hint)}")
    return "\n".join(shown)


def document_error(problems: Iterable[Problem]) -> DocumentError:
    """Return the error for a document that cannot run: all its errors, one per line."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    hint = errors[0].hint if len(errors) == 1 else ""
    return DocumentError("\n".join(map(headline, errors)), hint=_visible(hint) or None)


def _visible(text: str) -> str:
    """Return ``text`` with every unprintable character escaped."""
    if text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def _excerpt(line: str, offset: int) -> tuple[str, int]:
    """Return the part of ``line`` around ``offset`` as shown, and the column of ``offset``."""
    start = max(0, min(offset - _WINDOW // 2, len(line) - _WINDOW))
    before, after = line[start:offset], line[offset : start + _WINDOW]
    left = ("..." if start else "") + _cells(before)
    right = _cells(after) + ("..." if start + _WINDOW < len(line) else "")
    return left + right, _width(left)


def _cells(text: str) -> str:
    return "".join(
        _TAB if character == "\t" else _visible_character(character) for character in text
    )


def _width(text: str) -> int:
    """Return the width of ``text`` on a terminal, in columns."""
    if text.isascii():
        return len(text)
    # Imported here because only a problem after a non-ASCII character needs it.
    from unicodedata import combining, east_asian_width  # noqa: PLC0415

    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )
