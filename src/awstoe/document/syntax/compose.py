"""A document's text as a tree of nodes with their lines and columns."""

from awstoe.document.diagnostics import Diagnostics, Unreadable
from awstoe.document.syntax import yaml_reader
from awstoe.document.syntax.nodes import Node, Scalar, TreeBuilder


def read(text: str, report: Diagnostics, *, libyaml: bool = yaml_reader.HAS_LIBYAML) -> Node:
    """The tree of a document.

    Args:
        text: The whole document.
        report: Gets what is wrong with the tree but does not hide the rest of it.
        libyaml: Whether to use libyaml; the result is the same without it.

    Raises:
        Unreadable: There is no tree.
    """
    builder = _json(text) if text.lstrip(" \t\r\n")[:1] in ("{", "[") else None
    if builder is None:
        builder = TreeBuilder()
        yaml_reader.feed(text, builder, libyaml=libyaml)
    for fault in builder.faults:
        report.add(fault.severity, fault, fault.path, fault.code, fault.message, fault.hint)
    root = builder.root
    if root is None or (isinstance(root, Scalar) and root.is_null):
        raise Unreadable(
            "empty-document",
            "the document is empty; expected at least schemaVersion and phases",
        )
    return root


def _json(text: str) -> TreeBuilder | None:
    """``text`` read as JSON, or None when it is none."""
    # Few documents are JSON; the others do not pay for this import.
    from awstoe.document.syntax import json_reader  # noqa: PLC0415

    builder = TreeBuilder()
    try:
        json_reader.feed(text, builder)
    except json_reader.NotJson:
        return None
    return builder
