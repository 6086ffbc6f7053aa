"""A document's text as a tree of nodes with their lines and columns."""

from awstoe.document import yaml_text
from awstoe.document.nodes import Node, Scalar, TreeBuilder
from awstoe.document.report import Report, Unreadable


def read(text: str, report: Report, *, libyaml: bool = yaml_text.HAS_LIBYAML) -> Node:
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
        yaml_text.feed(text, builder, libyaml=libyaml)
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
    from awstoe.document import json_text  # noqa: PLC0415

    builder = TreeBuilder()
    try:
        json_text.feed(text, builder)
    except json_text.NotJson:
        return None
    return builder
