"""Plans a run: its documents, the selected phases, and the value of every variable. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from awstoe.document.model import Document
from awstoe.errors import UsageError


class PlannedDocument(NamedTuple):
    """One document of a run."""

    document: Document
    variables: Mapping[str, str]
    """Parameters and constants."""
    selected: tuple[bool, ...]
    """Per phase of the document, whether it runs."""
    places: Mapping[tuple[str, str], tuple[int, int]]
    """The indices of phase and step by their names."""


class Plan(NamedTuple):
    """One run: the top one, or that of an ExecuteDocument step."""

    execution_id: str
    documents: tuple[PlannedDocument, ...]
    depth: int
    """0 for the top run."""
    chain: tuple[str, ...]
    """The identities (real paths) of the documents above this run, outermost first."""


def planned(
    document: Document, variables: Mapping[str, str], selected: tuple[bool, ...]
) -> PlannedDocument:
    """Return ``document`` with the values of its variables and the selected phases."""
    places = {
        (phase.name, step.name): (phase_index, step_index)
        for phase_index, phase in enumerate(document.phases)
        for step_index, step in enumerate(phase.steps)
    }
    return PlannedDocument(document, variables, selected, places)


def select(
    documents: Sequence[Document], phases: Sequence[str]
) -> tuple[list[tuple[bool, ...]], list[str]]:
    """Return which phases of each document run, and the names in ``phases`` that match nothing.

    Raises:
        UsageError: No phase of any document matches ``phases``.
    """
    wanted = set(phases)
    selected = [
        tuple(not wanted or phase.name in wanted for phase in document.phases)
        for document in documents
    ]
    known = {phase.name for document in documents for phase in document.phases}
    unmatched = [name for name in phases if name not in known]
    if wanted and len(unmatched) == len(phases):
        names = ", ".join(sorted(known))
        raise UsageError(
            f"no phase of the documents is named {' or '.join(phases)}; they have: {names}",
            hint="name an existing phase, or omit --phases to run all (AWSTOE would report success"
            " without running anything)",
        )
    return selected, unmatched
