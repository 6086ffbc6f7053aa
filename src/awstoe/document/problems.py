"""Problems of documents: collected all at once, sorted by place, shown with the source line."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    WARNING = "warning"


class Problem(NamedTuple):
    """One thing that is wrong with a document."""

    file: str
    """The path as it was given; ``<stdin>`` for standard input."""
    line: int
    """From 1; 0 when the problem has no place in the file."""
    column: int
    path: str
    """Where in the document's structure, for example ``phases[0].steps[2].inputs``."""
    severity: Severity
    code: str
    """A stable word for tools, for example ``unknown-key``."""
    message: str
    hint: str
    """What to do about it; may be empty."""
