"""Finds a value on a line that YAML cannot read without quotes, and shows the line with them."""

from typing import Final

from awstoe.document.syntax import quoting
from awstoe.late_patterns import pattern

_BEFORE: Final = pattern(r"""\s*(?:-\s+)*(?:(?:[\w.$/-]+|"[^"]*"|'[^']*')\s*:\s+)?""")
_INDICATORS: Final = ("@", "`", "%", "&", "*", "!")
_BLOCK_HEADER: Final = pattern(r"[|>][-+0-9]{0,2}\s*(?:#.*)?")
_TEST: Final = pattern(r"\[\[?\s+(?:!\s+)?(?:-[a-zA-Z]+\s|\S+\s+(?:[=!]=|=|=~|-[a-z]{2})\s)")
"""A condition of the shell."""
_CLOSING: Final = {"[": "]", "{": "}"}
_PART_IN_QUOTES: Final = pattern(
    r"""(?P<quote>["'])(?P<inner>[^"']*)(?P=quote)(?P<rest>[^\s"']+)"""
)
"""A value such as ``"/opt"/x``: its quotes are not meant to be a part of it."""
_REST: Final = pattern(r"\s*(?:#.*)?")


def rewritten(line: str, column: int) -> str:
    """Return how to write the line whose value has to be in quotes; empty if that is not the cause.

    Args:
        line: The line of a syntax error.
        column: The column of the error, from 0.
    """
    before = _BEFORE.match(line)
    start = before.end() if before else 0
    value = line[start:].rstrip()
    if not value or column < start or not _needs_quotes(value):
        return ""
    part = _PART_IN_QUOTES.fullmatch(value)
    if part and line[:start].rstrip().endswith(":"):
        value = part["inner"] + part["rest"]
    return quoting.shown(f"{line[:start]}{quoting.in_quotes(value, single=True)}")


def _needs_quotes(value: str) -> bool:
    first = value[0]
    if first in _INDICATORS:
        return True
    if first in "|>":
        return not _BLOCK_HEADER.fullmatch(value)
    if first in _CLOSING:
        end = _closed(value)
        if end < 0:
            return False
        return not _REST.fullmatch(value, end) or _TEST.match(value) is not None
    if first in "\"'":
        end = value.find(first, 1)
        return end > 0 and not _REST.fullmatch(value, end + 1)
    return ": " in value or value.endswith(":")


def _closed(value: str) -> int:
    """Return where the bracket that opens ``value`` has been closed, or -1."""
    opening, closing = value[0], _CLOSING[value[0]]
    depth = 0
    for position, sign in enumerate(value):
        depth += (sign == opening) - (sign == closing)
        if not depth:
            return position + 1
    return -1
