"""Formats tables for people: plain text, columns as wide as their widest cell."""

from collections.abc import Sequence


def text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that ends with a line break."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines) + "\n"


def size(count: int | None) -> str:
    """Return a number of bytes as text."""
    return "-" if count is None else f"{count:,}"
