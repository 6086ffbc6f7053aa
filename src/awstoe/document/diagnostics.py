"""Collects what is wrong with one document.

A document is read to its end whatever is wrong with it; each finding becomes one ``Problem`` in a
``Diagnostics``. Only what hides the rest of the document (a syntax error, a binary file) stops the
reading: that is an ``Unreadable``, which never leaves this package.
"""

from collections.abc import Collection
from typing import Protocol

from awstoe import limits
from awstoe.document.problems import Problem, Severity
from awstoe.document.suggestions import closest


class Unreadable(Exception):
    """The document cannot be read past this place.

    Attributes:
        code: As of ``Problem``.
        message: As of ``Problem``.
        hint: As of ``Problem``.
        line: From 1, or 0 when there is none.
        column: From 1, or 0 when there is none.
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
    """Anything that stands somewhere in a document."""

    @property
    def line(self) -> int:
        """From 1; 0 when there is no place."""

    @property
    def column(self) -> int:
        """From 1; 0 when there is no place."""


class Diagnostics:
    """Collects the problems of one document.

    Of each severity ``limits.PROBLEMS_SHOWN`` are kept and the others counted.

    Args:
        file: What problems call the document.
    """

    __slots__ = ("_candidates", "_file", "_kept", "_left_out")

    def __init__(self, file: str) -> None:
        self._file = file
        self._kept: dict[Severity, list[Problem]] = {severity: [] for severity in Severity}
        self._left_out: dict[Severity, int] = dict.fromkeys(Severity, 0)
        self._candidates = limits.SUGGESTION_CANDIDATES

    @property
    def failed(self) -> bool:
        """Whether there is an error among the problems."""
        return bool(self._kept[Severity.ERROR])

    def has_room(self, severity: Severity) -> bool:
        """Whether a further problem would be kept; else its exact place need not be found."""
        return len(self._kept[severity]) < limits.PROBLEMS_SHOWN

    def error(self, where: Located, path: str, code: str, message: str, hint: str = "") -> None:
        """Note an error."""
        self.add(Severity.ERROR, where, path, code, message, hint)

    def warning(self, where: Located, path: str, code: str, message: str, hint: str = "") -> None:
        """Note a warning."""
        self.add(Severity.WARNING, where, path, code, message, hint)

    def add(
        self, severity: Severity, where: Located, path: str, code: str, message: str, hint: str
    ) -> None:
        """Note a problem."""
        if not self.has_room(severity):
            self._left_out[severity] += 1
            return
        self._kept[severity].append(
            Problem(self._file, where.line, where.column, path, severity, code, message, hint)
        )

    def suggestion(self, word: str, candidates: Collection[str]) -> str:
        """A hint that names what ``word`` was probably meant to be, or an empty string."""
        self._candidates -= len(candidates) + 1
        found = closest(word, candidates) if self._candidates >= 0 else None
        return f"did you mean {found!r}?" if found else ""

    def sorted(self, *, strict: bool) -> list[Problem]:
        """The problems by place; with ``strict``, warnings have become errors."""
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
