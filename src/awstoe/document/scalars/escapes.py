"""Finds Windows paths in double quotes, where a backslash starts an escape."""

import re
from typing import Final

from awstoe.document.scalars.finding import Finding
from awstoe.document.syntax import quoting
from awstoe.document.syntax.nodes import Scalar

_DRIVE: Final = re.compile(r"""(?<![\w\\])([A-Za-z]):(\\[^\\"'/\s{}])([^\s"']*)""")
_SHARED: Final = frozenset("nrt")
"""Escapes that texts often have after a colon."""


def finding(node: Scalar, raw: str, *, json: bool) -> Finding | None:
    """Return the problem of a double-quoted text that contains a Windows path with escapes."""
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
    return None


def hint(node: Scalar, raw: str, *, json: bool) -> str:
    """Return how to write a double-quoted text without escapes; empty if it has none."""
    if node.style != '"' or not re.search(r"\\[^\\]", raw):
        return ""
    return quoting.escape_hint(raw[1:-1] if raw.endswith('"') else raw[1:], json=json)
