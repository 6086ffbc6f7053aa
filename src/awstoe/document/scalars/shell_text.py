"""Splits bash text into what is quoted and what is not, well enough for warnings."""

import re
from typing import Final, NamedTuple

from awstoe.late_patterns import pattern

# A quote alone is one without an end. Comments start only where a word can start.
_TOKEN: Final = pattern(
    r"""\\.|'[^']*'|"(?:[^"\\]|\\.)*"|(?<![^\s;&|(])\#[^\n]*"""
    r"""|(?<!<)<<-?[ \t]*(?P<mark>['"\\]?)(?P<word>[A-Za-z_]\w*)(?P=mark)?|(?P<open>['"])""",
    re.DOTALL,
)


_HERE_DOCUMENT: Final = pattern(r"""(?<!<)<<-?[ \t]*['"\\]?([A-Za-z_]\w*)""")


def open_document(text: str) -> str:
    """Return the word that ends the last here-document of ``text`` if it is not there; or ''."""
    found = _HERE_DOCUMENT.findall(text)
    return found[-1] if found and found[-1] not in map(str.strip, text.split("\n")) else ""


_WORD: Final = pattern(r"""(?:"[^"]*"|'[^']*'|\{\{[^{}]*\}\}|[^\s"'{]|\{(?!\{)|["'])+""")


class ShellText(NamedTuple):
    """The parts of a bash text."""

    bare: tuple[tuple[int, int], ...]
    """Offsets of the parts outside of quotes, comments and here-documents: start and end."""
    double_quoted: tuple[tuple[int, int], ...]
    """Offsets of the strings in double quotes, which bash expands."""
    open_quote: str
    """The quote that has no end, or an empty string."""


def split(text: str) -> ShellText:
    """Split ``text``; command substitutions inside double quotes count as quoted."""
    bare = []
    double_quoted: list[tuple[int, int]] = []
    start = position = 0
    body: tuple[int, int] | None = None
    while True:
        token = _TOKEN.search(text, position)
        if body and (token is None or token.start() >= body[0]):
            bare.append((start, body[0]))
            start = position = body[1]
            body = None
            continue
        if token is None:
            bare.append((start, len(text)))
            return ShellText(tuple(bare), tuple(double_quoted), "")
        if token["open"]:
            bare.append((start, token.start()))
            return ShellText(tuple(bare), tuple(double_quoted), token["open"])
        position = token.end()
        if token["word"]:
            body = body or _body(text, position, token["word"])
        else:
            bare.append((start, token.start()))
            start = position
            if token[0].startswith('"'):
                double_quoted.append(token.span())


def _body(text: str, offset: int, word: str) -> tuple[int, int] | None:
    """Return where the here-document that ends with ``word`` starts and ends, or None."""
    first = text.find("\n", offset)
    if first < 0:
        return None
    end = pattern(rf"^\t*{word}$", re.MULTILINE).search(text, first)
    return first, end.end() if end else len(text)


def words(text: str) -> list[str]:
    """Return the words of a command line without their quotes; a reference is part of a word."""
    return [re.sub(r"""(["'])(.*?)\1""", r"\2", word[0]) for word in _WORD.finditer(text)]
