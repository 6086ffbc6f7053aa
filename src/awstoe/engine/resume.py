"""Restores what a resumed run needs besides the records: the documents of nested runs."""

from collections.abc import Callable
from typing import Protocol

from awstoe.document.model import Document
from awstoe.engine.events import Source
from awstoe.engine.plan import Plan, PlannedDocument, planned
from awstoe.engine.records import Records


class Parser(Protocol):
    """Turns a document's bytes into a document."""

    def parse(self, path: str, data: bytes) -> Document:
        """Return the valid document with the content ``data``.

        Raises:
            DocumentError: It is not valid.
        """


def source(item: PlannedDocument) -> Source:
    """Return what the journal keeps of a nested document."""
    document = item.document
    return Source(document.path, document.data.decode(), dict(item.variables), list(item.selected))


def restore_plans(records: Records, parser: Parser, real_path: Callable[[str], str]) -> None:
    """Set the plans that the nested runs in ``records`` were started with.

    The top run already has its plan.

    Raises:
        DocumentError: A document is no longer valid: another version of awstoe wrote the journal.
    """
    for key, run in records.runs.items():
        if not key:
            continue
        documents = tuple(
            planned(
                parser.parse(item.path, item.text.encode()),
                item.variables,
                tuple(item.selected),
            )
            for item in run.sources
        )
        outer_key, _, address = key.rpartition("/")
        outer = records.plan(outer_key)  # set already: outer runs come before nested ones
        above = outer.documents[int(address.partition(".")[0])].document.path
        chain = (*outer.chain, real_path(above))
        run.plan = Plan(run.execution_id, documents, outer.depth + 1, chain)
