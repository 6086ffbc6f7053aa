r"""Finds what should have been quoted in a document's text, and shows how to write it.

Two mistakes are so common that they get their own messages. ``path: {{ Dir }}/x`` without quotes is
a YAML mapping, and ``"C:\Program Files"`` in double quotes contains escapes.
"""

import re
from typing import Final, NamedTuple

from awstoe.expressions.values import quoted
from awstoe.late_patterns import pattern

_BEFORE_VALUE: Final = pattern(r"""\s*(?:-\s+)*(?:[^\s'"#{\[][^:#'"]*:\s+)?""")
_IN_FLOW: Final = pattern(r"(?:[\[,:{])\s*(\{\{[^{}\n]*\}\})")
_ALONE: Final = pattern(r"\{\{([^{}\n]*)\}\}(?=[ \t]*(?:[,\]}\r\n]|$)|[ \t]+#)")
_ESCAPED: Final = pattern(r'(?:[^"\\\n]|\\.)*')
_COMMENT: Final = pattern(r"\s+#.*|\s+$")
_WHOLE: Final = "put the whole value in quotes"
_SHOWN: Final = 100
"""Characters of a line in a hint."""
SEARCHED: Final = 1000
"""Characters of a line that are searched: a JSON document can be one line of a megabyte."""


class UnquotedReference(NamedTuple):
    """A value that starts with a reference, without quotes."""

    column: int
    """From 1."""
    message: str
    hint: str


def reference_alone(text: str, offset: int) -> str | None:
    """Return ``{{ x }}`` if it is the whole value at ``offset``, and otherwise None."""
    found = _ALONE.match(text, offset)
    return found[0] if found and found[1].strip() else None


def unquoted_reference(line: str) -> UnquotedReference | None:
    """Return the problem of the first unquoted value in ``line`` that starts with a reference."""
    first = _first(line[:SEARCHED])
    if first < 0:
        return None
    return described(line, first, line[first : line.find("}}", first) + 2])


def described(line: str, offset: int, reference: str) -> UnquotedReference:
    """Return the problem of the value that starts with ``reference`` at ``offset``.

    Args:
        line: The line up to ``SEARCHED`` characters; may end before the value.
        offset: The value's offset in the line.
        reference: The reference, with its braces.
    """
    return UnquotedReference(
        offset + 1,
        f"a value that starts with {quoted(reference)} must be in quotes: to YAML, an unquoted"
        " '{' starts a mapping",
        _rewritten(line, offset) if len(line) < SEARCHED else _WHOLE,
    )


def _rewritten(line: str, start: int) -> str:
    """Return how to write a line that has unquoted references; ``start`` is the first one."""
    while start >= 0:
        end = _value_end(line, start, flow="{" in line[:start] or "[" in line[:start])
        line = f"{line[:start]}{in_quotes(line[start:end])}{line[end:]}"
        start = _first(line)
    return shown(line)


def shown(line: str) -> str:
    """Return the hint to write ``line``."""
    line = line.strip()
    return f"write: {line}" if len(line) <= _SHOWN else _WHOLE


def _first(line: str) -> int:
    """Return the offset of the first unquoted value that starts with a reference, or -1."""
    before = _BEFORE_VALUE.match(line)
    value = before.end() if before else 0
    if line.startswith("{{", value):
        return value if "}}" in line[value:] else -1
    if line[value : value + 1] in ("[", "{"):
        for found in _IN_FLOW.finditer(line, value):
            if not _inside_quotes(line, found.start(1)):
                return found.start(1)
    return -1


def in_quotes(value: str, *, single: bool = False) -> str:
    """Return ``value`` as a quoted YAML string, in single quotes if they are asked for."""
    return _single(value) if single or '"' in value or "\\" in value else f'"{value}"'


def double_quoted(text: str, offset: int) -> str:
    """Return the double-quoted string at ``offset`` without its quotes, up to its line's end."""
    found = _ESCAPED.match(text, offset + 1)
    return found[0].rstrip() if found else ""


def escape_hint(raw: str, *, json: bool) -> str:
    """Return how to write a double-quoted string whose backslashes are no escapes.

    Args:
        raw: The string as in the document, without its quotes.
        json: Whether the document is JSON, which has no single quotes.
    """
    why = "in double quotes, a backslash starts an escape"
    if json or '\\"' in raw or len(raw) > _SHOWN:
        return f"{why}: write each backslash twice, as in {_doubled(raw)}"
    return f"{why}: write {_single(raw)} in single quotes"


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _doubled(raw: str) -> str:
    """Return the part of ``raw`` with its first backslash, doubled."""
    start = max(raw.find("\\") - 20, 0)
    part = raw[start : start + 40].partition('\\"')[0]
    return '"' + re.sub(r"\\+", r"\\\\", part) + '"'


def _inside_quotes(line: str, offset: int) -> bool:
    """Whether a quoted string is open at ``offset``."""
    quote = ""
    for position, sign in enumerate(line[:offset]):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and (position == 0 or line[position - 1] in " [{,:-"):
            quote = sign
    return bool(quote)


def _value_end(line: str, offset: int, *, flow: bool) -> int:
    """Return where the unquoted value ends that includes ``offset``."""
    comment = _COMMENT.search(line, offset)
    end = comment.start() if comment else len(line)
    if not flow:
        return end
    position = offset
    while position < end and line[position] not in ",]}":
        if line.startswith("{{", position):
            closing = line.find("}}", position)
            position = closing + 2 if closing >= 0 else end
        else:
            position += 1
    return min(position, end)
