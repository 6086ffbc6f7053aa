"""Converts nodes to the types they must have, and reports those that do not fit.

Each function returns the value, or None after reporting the problem.
"""

from collections.abc import Collection
from typing import Final

from awstoe.actions.fields import Boolean, Integer
from awstoe.document import keys
from awstoe.document.advice import Words
from awstoe.document.diagnostics import Diagnostics, Located
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence, describe, value_of
from awstoe.expressions import references
from awstoe.host.platforms import Platform

_BOOLEAN = Boolean("")
_INTEGER = Integer("", minimum=-(10**18))
EMPTY_TEXT: Final = "write an empty string as ''"
_NOT_RESOLVED = "references are not resolved here: write the value itself"


def mapping(
    diagnostics: Diagnostics, node: Node, path: str, what: str, hint: str = ""
) -> Mapping | None:
    """Return ``node`` if it is a mapping; messages call it ``what``."""
    if isinstance(node, Mapping):
        return node
    message = f"{what}: expected a mapping, got {describe(node)}"
    diagnostics.error(node, path, "wrong-type", message, hint)
    return None


def sequence(
    diagnostics: Diagnostics, node: Node, path: str, what: str, hint: str = ""
) -> Sequence | None:
    """Return ``node`` if it is a list; messages call it ``what``."""
    if isinstance(node, Sequence):
        return node
    message = f"{what}: expected a list, got {describe(node)}"
    diagnostics.error(node, path, "wrong-type", message, hint)
    return None


def text(diagnostics: Diagnostics, node: Node, path: str, what: str, hint: str = "") -> str | None:
    """Return the text of ``node`` as written in the file; ``hint`` is for an empty value."""
    if isinstance(node, Scalar) and not node.is_null:
        return node.text
    message = f"{what}: expected a string, got {describe(node)}"
    diagnostics.error(node, path, "wrong-type", message, _text_hint(node, hint))
    return None


def _text_hint(node: Node, empty: str) -> str:
    if isinstance(node, Scalar):
        null = f"in YAML, {node.text} means no value" if node.text else ""
        return ": ".join(filter(None, (null, empty or "write a string")))
    return one_string(node)


def one_string(node: Mapping | Sequence, several: str = "") -> str:
    """Return the hint for a list or mapping in place of a string.

    Args:
        node: The list or mapping.
        several: Where to put several strings; may be empty.
    """
    if isinstance(node, Sequence):
        quotes = "quote a string that starts with '['" if node.flow else ""
        return "; ".join(filter(None, ("write one string", several, quotes)))
    return "quote a string that starts with '{'" if node.flow else "quote a string with ': ' in it"


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
        _reject(diagnostics, node, path, f"{what}: expected true or false", "write true or false")
        return None


def integer(
    diagnostics: Diagnostics, node: Node, path: str, what: str, hint: str = ""
) -> int | None:
    """Return ``node`` as an integer."""
    try:
        return _INTEGER.parse(value_of(node), Platform.LINUX)
    except ValueError:
        hint = integer_hint(node) or hint or "write digits only"
        _reject(diagnostics, node, path, f"{what}: expected an integer", hint)
        return None


def integer_hint(node: Node) -> str:
    """Return what to write instead of a duration such as ``10m``, or an empty string."""
    if not isinstance(node, Scalar):
        return ""
    from awstoe.document import durations  # noqa: PLC0415 - only a wrong value needs it

    found = durations.seconds(node.text)
    return f"write {found}" if found is not None else ""


def _reject(diagnostics: Diagnostics, node: Node, path: str, expected: str, hint: str = "") -> None:
    if isinstance(node, Scalar) and references.find(node.text):
        hint = _NOT_RESOLVED
    message = f"{expected}, got {describe(node)}"
    diagnostics.error(node, path, "wrong-type", message, hint)


def choice(
    diagnostics: Diagnostics,
    node: Node,
    path: str,
    what: str,
    choices: Collection[str],
    words: Words | None = None,
) -> str | None:
    """Return the text of ``node`` if it is one of ``choices``; ``words`` are those for others."""
    if isinstance(node, Scalar) and node.text in choices:
        return node.text
    message = f"{what}: expected one of {', '.join(choices)}, got {describe(node)}"
    hint = f"write one of {', '.join(choices)}"
    if isinstance(node, Scalar):
        hint = (
            _NOT_RESOLVED
            if references.find(node.text)
            else keys.meaning(diagnostics, (), node.text, choices, words).hint or hint
        )
    diagnostics.error(node, path, "wrong-value", message, hint)
    return None


def missing_key(
    diagnostics: Diagnostics, where: Located, path: str, key: str, owner: str, hint: str
) -> None:
    """Report that ``owner`` lacks ``key``, unless that follows from a reported problem."""
    if isinstance(where, Mapping) and key in where.excused:
        return
    message = f"{owner} has no {key!r}, which is required"
    diagnostics.error(where, path, "missing-key", message, hint)
