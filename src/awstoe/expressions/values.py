"""The values a document is made of once its scalars are text."""

from typing import Final, TypeAlias

Value: TypeAlias = "bool | int | str | list[Value] | dict[str, Value] | None"
"""What step inputs hold. Scalars of a document stay the text that stands in the file; ``bool`` and
``int`` appear only where an input's field asks for them."""

SHOWN_CHARACTERS: Final = 200
"""Quoted of a value in a message: enough to recognise it, and no page of it."""


def quoted(text: str) -> str:
    """``text`` in quotes for a message, on one line, cut when it is long."""
    if len(text) <= SHOWN_CHARACTERS:
        return repr(text)
    return f"{text[:SHOWN_CHARACTERS]!r}... ({len(text)} characters)"
