"""Defines what the checks of scalars report."""

from typing import NamedTuple

from awstoe.document.problems import Severity


class Finding(NamedTuple):
    """One damaged or suspicious text."""

    code: str
    message: str
    hint: str
    offset: int | None = None
    """Where it is in the document's text; None: at the start of the scalar."""
    severity: Severity = Severity.WARNING
