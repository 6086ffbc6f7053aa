"""Converts nodes to the types they must have, and reports those that do not fit.

Each function returns the value, or None after reporting the problem.
"""

from collections.abc import Collection
from typing import Final

from awstoe.actions.fields import Boolean, Integer
from awstoe.document.diagnostics import Diagnostics, Located
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe, value_of
from awstoe.expressions import references
from awstoe.expressions.values import quoted
from awstoe.host.platforms import Platform

_BOOLEAN = Boolean("")
_INTEGER = Integer("", minimum=-(10**18))
EMPTY_TEXT: Final = "write an empty string as ''"
_NOT_RESOLVED = "references are not resolved here: write the value itself"


def mapping(diagnostics: Diagnostics, node: Node, path: str, what: str) -> Mapping | None:
    """Return ``node`` if it is a mapping; messages call it ``what``."""
    if isinstance(node, Mapping):
        return node
    diagnostics.error(node, path, "wrong-type", f"{what}: expected a mapping, got {describe(node)}")
    return None


def sequence(diagnostics: Diagnostics, node: Node, path: str, what: str) -> Sequence | None:
    """Return ``node`` if it is a list; messages call it ``what``."""
    if isinstance(node, Sequence):
        return node
    diagnostics.error(node, path, "wrong-type", f"{what}: expected a list, got {describe(node)}")
    return None


def text(diagnostics: Diagnostics, node: Node, path: str, what: str, hint: str = "") -> str | None:
    """Return the text of ``node`` as written in the file; ``hint`` is for an empty value."""
    if isinstance(node, Scalar) and not node.is_null:
        return node.text
    message = f"{what}: expected a string, got {describe(node)}"
    diagnostics.error(node, path, "wrong-type", message, hint if isinstance(node, Scalar) else "")
    return None


def free_text(diagnostics: Diagnostics, node: Node, path: str, what: str) -> str | None:
    """Return the text of ``node``, or an empty string if the value is empty."""
    if isinstance(node, Scalar) and node.is_null:
        return ""
    return text(diagnostics, node, path, what)


def flag(diagnostics: Diagnostics, node: Node, path: str, what: str) -> bool | None:
    """Return ``node`` as a boolean."""
    try:
        return _BOOLEAN.parse(value_of(node), Platform.LINUX)
    except ValueError:
        _reject(diagnostics, node, path, f"{what}: expected true or false")
        return None


def integer(diagnostics: Diagnostics, node: Node, path: str, what: str) -> int | None:
    """Return ``node`` as an integer."""
    try:
        return _INTEGER.parse(value_of(node), Platform.LINUX)
    except ValueError:
        _reject(diagnostics, node, path, f"{what}: expected an integer")
        return None


def _reject(diagnostics: Diagnostics, node: Node, path: str, expected: str) -> None:
    diagnostics.error(
        node,
        path,
        "wrong-type",
        f"{expected}, got {describe(node)}",
        _NOT_RESOLVED if isinstance(node, Scalar) and references.find(node.text) else "",
    )


def choice(
    diagnostics: Diagnostics, node: Node, path: str, what: str, choices: Collection[str]
) -> str | None:
    """Return the text of ``node`` if it is one of ``choices``."""
    if isinstance(node, Scalar) and node.text in choices:
        return node.text
    message = f"{what}: expected one of {', '.join(choices)}, got {describe(node)}"
    hint = ""
    if isinstance(node, Scalar):
        hint = (
            _NOT_RESOLVED
            if references.find(node.text)
            else diagnostics.suggestion(node.text, choices)
        )
    diagnostics.error(node, path, "wrong-value", message, hint)
    return None


def check_keys(
    diagnostics: Diagnostics,
    node: Mapping,
    path: str,
    allowed: Collection[str],
    tolerated: Collection[str] = (),
) -> None:
    """Report keys that are not ``allowed``, those in ``tolerated`` only as warnings."""
    for key, (where, _) in node.entries.items():
        if key in allowed:
            continue
        place = f"{path}.{key}" if path else key
        if key in tolerated:
            diagnostics.warning(
                where, place, "ignored-key", f"the key {quoted(key)} has no effect and is ignored"
            )
            continue
        hint = diagnostics.suggestion(key, allowed) or f"expected {' or '.join(_listed(allowed))}"
        diagnostics.error(where, place, "unknown-key", f"unknown key {quoted(key)}", hint)


def _listed(words: Collection[str]) -> tuple[str, ...]:
    *firsts, last = words
    return (", ".join(firsts), last) if firsts else (last,)


def missing_key(diagnostics: Diagnostics, where: Located, path: str, key: str, owner: str) -> None:
    """Report that ``owner`` lacks ``key``."""
    diagnostics.error(where, path, "missing-key", f"{owner} has no {key!r}, which is required")
