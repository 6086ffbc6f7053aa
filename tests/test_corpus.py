"""Component documents written by others get the verdict that their list expects.

The documents are not part of this repository; without them, nothing is tested.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from awstoe.document.parse import parse
from awstoe.document.problems import headline
from awstoe.document.syntax.yaml_reader import HAS_LIBYAML
from awstoe.host.platforms import Platform

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


@pytest.mark.skipif(not LIST.exists(), reason="the corpus is not here")
@pytest.mark.parametrize(
    "libyaml", sorted({HAS_LIBYAML, False}), ids=lambda on: "libyaml" if on else "python"
)
@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.file)
def test_documents_of_others_get_their_verdict(row: Row, *, libyaml: bool) -> None:
    data = (CORPUS / row.file).read_bytes()

    # Where any platform will do, each has to.
    for platform in row.platforms:
        found = parse(data, row.file, {platform}, libyaml=libyaml)

        said = "\n".join(map(headline, found.problems))
        assert (found.document is not None) == row.expected.startswith("valid"), said
        if "warning" in row.expected:
            assert "warning" in said
