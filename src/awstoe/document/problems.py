"""Problems of documents: what one is, and how it is shown with its source line."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe.errors import DocumentError


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    WARNING = "warning"


class Problem(NamedTuple):
    """One thing that is wrong with a document."""

    file: str
    """The path as it was given; ``<stdin>`` for standard input."""
    line: int
    """From 1; 0 when the problem has no place in the file."""
    column: int
    path: str
    """Where in the document's structure, for example ``phases[0].steps[2].inputs``."""
    severity: Severity
    code: str
    """A stable word for tools, for example ``unknown-key``."""
    message: str
    hint: str
    """What to do about it; may be empty."""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether one of ``problems`` is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)


_TAB: Final = "    "
_WINDOW: Final = 100
"""Columns shown of a source line: a JSON document may be one line of a megabyte."""


def headline(problem: Problem) -> str:
    """``file:line:column: error: message``, on one line."""
    place = f":{problem.line}:{problem.column}" if problem.line else ""
    return _visible(f"{problem.file}{place}: {problem.severity}: {problem.message}")


def render(problem: Problem, source_lines: Sequence[str]) -> str:
    """A problem for a person: headline, source line with a caret under the place, hint.

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
    """The error for a document that cannot run: all its errors, each on one line."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    hint = errors[0].hint if len(errors) == 1 else ""
    return DocumentError("\n".join(map(headline, errors)), hint=_visible(hint) or None)


def _visible(text: str) -> str:
    """``text`` with everything that would not show as itself written as an escape."""
    if text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def _excerpt(line: str, offset: int) -> tuple[str, int]:
    """The part of ``line`` around ``offset`` as it is shown, and the column the place has there."""
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
    """The columns that ``text`` takes on a terminal."""
    if text.isascii():
        return len(text)
    # Only a line with a mistake behind such a character pays for this import.
    from unicodedata import combining, east_asian_width  # noqa: PLC0415

    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )
