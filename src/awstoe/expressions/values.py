"""Defines the values in a document after parsing, and quotes them in messages."""

from typing import Final, TypeAlias

Value: TypeAlias = "bool | int | str | list[Value] | dict[str, Value] | None"
"""A value in the inputs of a step. Scalars keep their text from the document; ``bool`` and ``int``
occur only where an input's field converts to them."""

SHOWN_CHARACTERS: Final = 200
"""Characters of a value quoted in a message: enough to recognize it without filling a page."""


def quoted(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return ``text`` in quotes for a message, on one line, truncated if it is long."""
    if len(text) <= limit:
        return repr(text)
    return f"{text[:limit]!r}... ({len(text)} characters)"
