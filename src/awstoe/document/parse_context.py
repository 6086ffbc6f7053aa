"""What every part of the parser works with."""

from typing import NamedTuple

from awstoe.document.diagnostics import Report
from awstoe.document.references import ReferenceCheck
from awstoe.document.scope import Scope
from awstoe.host.platforms import Platform


class Reading(NamedTuple):
    """One document while it is parsed."""

    report: Report
    platforms: tuple[Platform, ...]
    """The document has to be right on all of them."""
    scope: Scope
    references: ReferenceCheck
