"""Conditions: the ``if`` of a step and the inputs of Assert."""

from typing import NamedTuple, Protocol


class Comparison(NamedTuple):
    """One comparison operator with its operand."""

    operator: str
    operand: str
    """May hold references."""
    companion: str | None
    """The ``value`` or ``path`` beside it; None for operators that have none."""


class Logical(NamedTuple):
    """``and``, ``or`` or ``not``."""

    operator: str
    conditions: "tuple[Condition, ...]"


Condition = Comparison | Logical


class Verdict(NamedTuple):
    """What became of a condition."""

    value: bool
    explanation: str
    """The comparison that decided, with its resolved values, for failure messages."""


class Facts(Protocol):
    """What conditions can ask of the machine."""

    def file_exists(self, path: str) -> bool:
        """Whether ``path`` is a file."""

    def folder_exists(self, path: str) -> bool:
        """Whether ``path`` is a folder."""

    def file_hash(self, path: str, algorithm: str) -> str | None:
        """The hash (lower-case hex) by ``md5``, ``sha1``, ``sha256`` or ``sha512``, or None."""

    def binary_exists(self, name: str) -> bool:
        """Whether a step's shell would find ``name``."""

    def bounded_search(self, expression: str, flags: int, text: str, seconds: float) -> bool:
        """Whether Python's ``re`` finds ``expression`` in ``text``.

        Raises:
            TimeoutError: It took longer than ``seconds``.
        """
