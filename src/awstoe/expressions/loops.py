"""Loops: which values a step's iterations get."""

from typing import NamedTuple


class ForLoop(NamedTuple):
    """``for``: integers from ``start`` to ``end``, both included."""

    name: str
    start: int
    end: int
    update_by: int


class ForEachList(NamedTuple):
    """``forEach`` over a list; the entries may hold references."""

    name: str
    values: tuple[str, ...]


class ForEachText(NamedTuple):
    """``forEach`` over one string cut at a delimiter; the string may hold references."""

    name: str
    text: str
    delimiter: str


Loop = ForLoop | ForEachList | ForEachText
