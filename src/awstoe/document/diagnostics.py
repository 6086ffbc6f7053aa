"""Collects the problems of one document.

Parsing continues after a problem: each one becomes a ``Problem`` in a ``Diagnostics``. Only what
hides the rest of the document (a syntax error, a binary file) ends it early, as an ``Unreadable``.
"""

from collections.abc import Collection
from typing import Protocol

from awstoe import limits
from awstoe.document.problems import Problem, Severity
from awstoe.document.suggestions import closest


class Unreadable(Exception):
    """The document cannot be read beyond this position.

    Attributes:
        code: As in ``Problem``.
        message: As in ``Problem``.
        hint: As in ``Problem``.
        line: From 1; 0 if the problem has no position.
        column: From 1; 0 if the problem has no position.
    """

    def __init__(
        self, code: str, message: str, *, hint: str = "", line: int = 0, column: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column or min(line, 1)


class Located(Protocol):
    """Anything with a position in a document."""

    @property
    def line(self) -> int:
        """From 1; 0 if there is no position."""

    @property
    def column(self) -> int:
        """From 1; 0 if there is no position."""


class Diagnostics:
    """Collects the problems of one document.

    It keeps up to ``limits.PROBLEMS_SHOWN`` problems of each severity and counts the others.

    Args:
        file: The document's name in its problems.
    """

    __slots__ = ("_candidates", "_file", "_kept", "_left_out")

    def __init__(self, file: str) -> None:
        self._file = file
        self._kept: dict[Severity, list[Problem]] = {severity: [] for severity in Severity}
        self._left_out: dict[Severity, int] = dict.fromkeys(Severity, 0)
        self._candidates = limits.SUGGESTION_CANDIDATES

    @property
    def failed(self) -> bool:
        """Whether one of the problems is an error."""
        return bool(self._kept[Severity.ERROR])

    def has_room(self, severity: Severity) -> bool:
        """Whether another problem would be kept. If not, do not compute its exact position."""
        return len(self._kept[severity]) < limits.PROBLEMS_SHOWN

    def error(self, where: Located, path: str, code: str, message: str, hint: str = "") -> None:
        """Add an error."""
        self.add(Severity.ERROR, where, path, code, message, hint)

    def warning(self, where: Located, path: str, code: str, message: str, hint: str = "") -> None:
        """Add a warning."""
        self.add(Severity.WARNING, where, path, code, message, hint)

    def add(
        self, severity: Severity, where: Located, path: str, code: str, message: str, hint: str
    ) -> None:
        """Add a problem."""
        if not self.has_room(severity):
            self._left_out[severity] += 1
            return
        self._kept[severity].append(
            Problem(self._file, where.line, where.column, path, severity, code, message, hint)
        )

    def suggestion(self, word: str, candidates: Collection[str]) -> str:
        """Return a hint with the candidate closest to ``word``, or an empty string."""
        return self.guess(word, candidates)[1]

    def guess(self, word: str, candidates: Collection[str]) -> tuple[str, str]:
        """Return the candidate closest to ``word`` and a hint with it, or empty strings."""
        self._candidates -= len(candidates) + 1
        found = closest(word, candidates) if self._candidates >= 0 else None
        return (found, f"did you mean {found!r}?") if found else ("", "")

    def sorted(self, *, strict: bool) -> list[Problem]:
        """Return the problems sorted by position; ``strict`` turns warnings into errors."""
        found = [problem for kept in self._kept.values() for problem in kept]
        found.sort(key=lambda problem: (problem.line, problem.column))
        for severity, count in self._left_out.items():
            if count:
                found.append(
                    Problem(
                        self._file,
                        0,
                        0,
                        "",
                        severity,
                        "too-many-problems",
                        f"{count} more {severity}s are not shown",
                        "",
                    )
                )
        if strict:
            found = [problem._replace(severity=Severity.ERROR) for problem in found]
        return found
