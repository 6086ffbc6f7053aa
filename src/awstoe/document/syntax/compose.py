"""Composes the tree of a document from its text, with lines and columns."""

from awstoe.document.diagnostics import Diagnostics, Unreadable
from awstoe.document.syntax import yaml_reader
from awstoe.document.syntax.nodes import Node, Scalar, TreeBuilder


def read(text: str, diagnostics: Diagnostics) -> Node:
    """Return the tree of a document.

    Args:
        text: The whole document.
        diagnostics: Collects the problems that do not hide the rest of the tree.

    Raises:
        Unreadable: The text has no tree.
        HostError: It is YAML, and PyYAML has no libyaml.
    """
    builder = _json(text) if text.lstrip(" \t\r\n")[:1] in ("{", "[") else None
    if builder is None:
        builder = TreeBuilder()
        yaml_reader.feed(text, builder)
        builder.end()
    for fault in builder.faults:
        diagnostics.add(fault.severity, fault, fault.path, fault.code, fault.message, fault.hint)
    root = builder.root
    if root is None or (isinstance(root, Scalar) and root.is_null):
        raise Unreadable(
            "empty-document",
            "the document is empty; expected at least 'schemaVersion' and 'phases'",
            hint="check that this is the right file, and that it was saved",
        )
    return root


def _json(text: str) -> TreeBuilder | None:
    """Read ``text`` as JSON; return None if it is not JSON."""
    # Imported here because few documents are JSON.
    from awstoe.document.syntax import json_reader  # noqa: PLC0415

    builder = TreeBuilder()
    try:
        json_reader.feed(text, builder)
    except json_reader.NotJson:
        return None
    return builder
