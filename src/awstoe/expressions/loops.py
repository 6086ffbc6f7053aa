"""Computes the values of a loop's iterations."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, overload

from awstoe.expressions.references import as_text
from awstoe.expressions.values import Value


class ForLoop(NamedTuple):
    """``for``: the integers from ``start`` to ``end``, inclusive."""

    name: str
    start: int
    end: int
    update_by: int


class ForEachList(NamedTuple):
    """``forEach`` over a list; the entries may contain references."""

    name: str
    values: tuple[str, ...]


class ForEachText(NamedTuple):
    """``forEach`` over a string split at a delimiter; the string may contain references."""

    name: str
    text: str
    delimiter: str


Loop = ForLoop | ForEachList | ForEachText

DELIMITERS: Final = (".", ",", ";", ":", "\n", "\t", " ", "-", "_")
"""The delimiters at which ``forEach`` can split a string."""

DEFAULT_DELIMITER: Final = ","


class Counted(Sequence[str]):
    """The values of a ``for`` as strings, computed on demand.

    Args:
        numbers: The numbers.
    """

    __slots__ = ("_numbers",)

    def __init__(self, numbers: range) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def total(self) -> int:
        """Return the number of values, even if ``len`` cannot represent it."""
        numbers = self._numbers
        return (numbers[-1] - numbers[0]) // numbers.step + 1 if numbers else 0

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> "Counted": ...

    def __getitem__(self, index: int | slice) -> "str | Counted":
        if isinstance(index, slice):
            return Counted(self._numbers[index])
        return str(self._numbers[index])

    def __iter__(self) -> Iterator[str]:
        return map(str, self._numbers)


def for_problem(start: int, end: int, update_by: int) -> str | None:
    """Return why a ``for`` with these numbers would never end, or None."""
    if update_by == 0:
        return "updateBy is 0, so the loop would never end"
    if start != end and (end > start) != (update_by > 0):
        side, sign = ("above", "positive") if end > start else ("below", "negative")
        return (
            f"the loop would never end: end ({end}) is {side} start ({start}), "
            f"so updateBy must be {sign}, got {update_by}"
        )
    return None


def _split(text: str, delimiter: str) -> list[str]:
    """Split ``text``. An empty text has no values, and a final line break adds none."""
    if delimiter == "\n":
        text = text.removesuffix("\n")
    return text.split(delimiter) if text else []


def iteration_values(loop: Loop, resolve: Callable[[str], Value]) -> Sequence[str]:
    """Return the values of the iterations of ``loop``, in order.

    A ``for`` is counted lazily, in constant memory. References are resolved here, once. If a list
    entry or the string to split is a single reference to a list, the list's elements replace it.

    Args:
        loop: The loop.
        resolve: Returns a string with its references replaced.

    Raises:
        AwstoeError: ``resolve`` found a reference without a value.
    """
    if isinstance(loop, ForLoop):
        past_end = loop.end + (1 if loop.update_by > 0 else -1)
        return Counted(range(loop.start, past_end, loop.update_by))
    if isinstance(loop, ForEachText):
        text = resolve(loop.text)
        if isinstance(text, list):
            return [as_text(element) for element in text]
        return _split(as_text(text), loop.delimiter)
    values: list[str] = []
    for entry in loop.values:
        value = resolve(entry)
        if isinstance(value, list):
            values.extend(as_text(element) for element in value)
        else:
            values.append(as_text(value))
    return values


def length(values: Sequence[str]) -> int:
    """Return the number of iterations, even if ``len`` fails (2**63 or more)."""
    return values.total() if isinstance(values, Counted) else len(values)
