"""Defines the context that all parts of the parser share."""

from typing import NamedTuple

from awstoe.document.diagnostics import Diagnostics
from awstoe.document.references import ReferenceCheck
from awstoe.document.scalars.check import ScalarCheck
from awstoe.document.scope import Scope
from awstoe.host.platforms import Platform


class ParseContext(NamedTuple):
    """The state of parsing one document."""

    diagnostics: Diagnostics
    platforms: tuple[Platform, ...]
    """The platforms to validate the document for."""
    scope: Scope
    references: ReferenceCheck
    scalars: ScalarCheck
