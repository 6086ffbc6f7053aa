"""Asks nodes for what they have to be, and reports what they are instead.

Each function gives the value, or None after it has reported why there is none.
"""

from collections.abc import Collection
from typing import Final

from awstoe.actions.fields import Boolean, Integer
from awstoe.document.diagnostics import Diagnostics, Located
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe, value_of
from awstoe.expressions import references
from awstoe.expressions.values import quoted
from awstoe.host.platforms import Platform

_FLAG = Boolean("")
_WHOLE = Integer("", minimum=-(10**18))
EMPTY_TEXT: Final = "an empty text is written ''"
_NOT_RESOLVED = "references are not resolved here: write the value itself"


def mapping(report: Diagnostics, node: Node, path: str, what: str) -> Mapping | None:
    """``node`` as a mapping; ``what`` is what the message calls it."""
    if isinstance(node, Mapping):
        return node
    report.error(node, path, "wrong-type", f"expected a mapping as {what}, got {describe(node)}")
    return None


def sequence(report: Diagnostics, node: Node, path: str, what: str) -> Sequence | None:
    """``node`` as a list; ``what`` is what the message calls it."""
    if isinstance(node, Sequence):
        return node
    report.error(node, path, "wrong-type", f"expected a list as {what}, got {describe(node)}")
    return None


def text(report: Diagnostics, node: Node, path: str, what: str, hint: str = "") -> str | None:
    """``node`` as the text that stands in the file; ``hint`` is for when nothing stands there."""
    if isinstance(node, Scalar) and not node.is_null:
        return node.text
    message = f"expected a text as {what}, got {describe(node)}"
    report.error(node, path, "wrong-type", message, hint if isinstance(node, Scalar) else "")
    return None


def free_text(report: Diagnostics, node: Node, path: str, what: str) -> str | None:
    """``node`` as text that nobody reads but people; nothing is an empty one."""
    if isinstance(node, Scalar) and node.is_null:
        return ""
    return text(report, node, path, what)


def flag(report: Diagnostics, node: Node, path: str, what: str) -> bool | None:
    """``node`` as a boolean."""
    try:
        return _FLAG.parse(value_of(node), Platform.LINUX)
    except ValueError:
        _refuse(report, node, path, f"true or false as {what}")
        return None


def integer(report: Diagnostics, node: Node, path: str, what: str) -> int | None:
    """``node`` as an integer."""
    try:
        return _WHOLE.parse(value_of(node), Platform.LINUX)
    except ValueError:
        _refuse(report, node, path, f"an integer as {what}")
        return None


def _refuse(report: Diagnostics, node: Node, path: str, expected: str) -> None:
    report.error(
        node,
        path,
        "wrong-type",
        f"expected {expected}, got {describe(node)}",
        _NOT_RESOLVED if isinstance(node, Scalar) and references.find(node.text) else "",
    )


def choice(
    report: Diagnostics, node: Node, path: str, what: str, choices: Collection[str]
) -> str | None:
    """``node`` as one of a few words."""
    if isinstance(node, Scalar) and node.text in choices:
        return node.text
    message = f"expected one of {', '.join(choices)} as {what}, got {describe(node)}"
    hint = ""
    if isinstance(node, Scalar):
        hint = (
            _NOT_RESOLVED if references.find(node.text) else report.suggestion(node.text, choices)
        )
    report.error(node, path, "wrong-value", message, hint)
    return None


def check_keys(
    report: Diagnostics,
    node: Mapping,
    path: str,
    allowed: Collection[str],
    tolerated: Collection[str] = (),
) -> None:
    """Report the keys that are not ``allowed``; those ``tolerated`` get only a warning."""
    for key, (where, _) in node.entries.items():
        if key in allowed:
            continue
        place = f"{path}.{key}" if path else key
        if key in tolerated:
            report.warning(
                where, place, "ignored-key", f"the key {quoted(key)} means nothing here: ignored"
            )
            continue
        hint = report.suggestion(key, allowed) or f"expected {' or '.join(_listed(allowed))}"
        report.error(where, place, "unknown-key", f"unknown key {quoted(key)}", hint)


def _listed(words: Collection[str]) -> tuple[str, ...]:
    *firsts, last = words
    return (", ".join(firsts), last) if firsts else (last,)


def missing_key(report: Diagnostics, where: Located, path: str, key: str, owner: str) -> None:
    """Report that ``owner`` lacks ``key``."""
    report.error(where, path, "missing-key", f"{owner} has no {key!r}; it is required")
