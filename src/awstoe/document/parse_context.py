"""What every part of the parser works with."""

from typing import NamedTuple

from awstoe.document.diagnostics import Diagnostics
from awstoe.document.references import ReferenceCheck
from awstoe.document.scope import Scope
from awstoe.host.platforms import Platform


class ParseContext(NamedTuple):
    """One document while it is parsed."""

    report: Diagnostics
    platforms: tuple[Platform, ...]
    """The document has to be right on all of them."""
    scope: Scope
    references: ReferenceCheck
