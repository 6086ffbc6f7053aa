"""Finds paths and patterns in double quotes, where a backslash starts an escape."""

import re
from typing import Final

from awstoe.document.scalars.finding import Finding
from awstoe.document.syntax.nodes import Scalar
from awstoe.late_patterns import pattern

_DRIVE: Final = pattern(r"""(?<![\w\\])([A-Za-z]):(\\[^\\"'/\s{}])([^\s"']*)""")
_SHARED: Final = frozenset("nrt")
"""Escapes that texts often have after a colon."""
_ESCAPE: Final = pattern(r"\\(.)", re.DOTALL)
_NEVER_MEANT: Final = {
    "a": 0x07,
    "b": 0x08,
    "v": 0x0B,
    "N": 0x85,
    "_": 0xA0,
    "L": 0x2028,
    "P": 0x2029,
}
"""Escapes for characters that no document needs. Patterns have ``\\b``, paths have all of them."""


def finding(node: Scalar, raw: str, *, json: bool) -> Finding | None:
    """Return the problem of a double-quoted text with escapes that were not meant, or None."""
    if node.style != '"' or "\\" not in raw:
        return None
    for found in _DRIVE.finditer(raw):
        drive, escape, rest = found.groups()
        if escape[1] in _SHARED and not (drive.isupper() or re.search(r"\\[^\\nrt]", rest)):
            continue
        return Finding(
            "escape-in-path",
            f"in double quotes, {escape} is an escape, not a part of the path {found[0]}",
            hint(node, raw, json=json),
        )
    for found in _ESCAPE.finditer(raw):
        if found[1] in _NEVER_MEANT:
            return Finding(
                "unusual-escape",
                f"in double quotes, {found[0]} is the character U+{_NEVER_MEANT[found[1]]:04X}",
                hint(node, raw, json=json),
                node.start + found.start(),
            )
    return None


def hint(node: Scalar, raw: str, *, json: bool) -> str:
    """Return how to write a double-quoted text without escapes; empty if it has none."""
    from awstoe.document.syntax import quoting  # noqa: PLC0415 - only a mistake needs it

    if node.style != '"' or not re.search(r"\\[^\\]", raw):
        return ""
    return quoting.escape_hint(raw[1:-1] if raw.endswith('"') else raw[1:], json=json)
