"""Published component documents are valid or invalid as their list says.

They are not part of this repository, so this test is skipped where they are missing. The documents
in tests/documents show the same in our own words.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from awstoe.document.parse import parse
from awstoe.document.problems import headline
from awstoe.host.platforms import Platform

TEXT_WARNINGS = {
    *("near-reference", "reference-without-meaning", "empty-tag", "unused-anchor"),
    *("folded-command", "comment-in-command", "comment-in-value", "typographic-character"),
    *("not-a-command", "not-expanded", "escape-in-path", "decimal-permissions"),
    "unusual-escape",
}
"""Codes of warnings about single texts. None of the published documents has such a mistake."""
CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"
LIST = CORPUS / "SOURCES.tsv"


class Row(NamedTuple):
    file: str
    platforms: frozenset[Platform]
    expected: str


def _rows() -> list[Row]:
    if not LIST.exists():
        return []
    with LIST.open(encoding="utf-8", newline="") as stream:
        return [
            Row(
                row["file"],
                frozenset(Platform)
                if row["platform"] == "any"
                else frozenset({Platform(row["platform"])}),
                row["expected"],
            )
            for row in csv.DictReader(stream, delimiter="\t")
        ]


needs_corpus = pytest.mark.skipif(
    not LIST.exists(), reason="the published documents are not part of this repository"
)


@needs_corpus
@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.file)
def test_published_documents_are_valid_or_invalid_as_listed(row: Row) -> None:
    data = (CORPUS / row.file).read_bytes()

    # A document for any platform must be valid on each of them.
    for platform in row.platforms:
        result = parse(data, row.file, {platform})

        problems = "\n".join(map(headline, result.problems))
        assert (result.document is not None) == row.expected.startswith("valid"), problems
        if "warning" in row.expected:
            assert "warning" in problems


@needs_corpus
@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.file)
def test_published_documents_have_no_warnings_that_are_noise(row: Row) -> None:
    data = (CORPUS / row.file).read_bytes()
    for platform in row.platforms:
        found = parse(data, row.file, {platform}).problems

        noise = [headline(problem) for problem in found if problem.code in TEXT_WARNINGS]
        assert noise == []
