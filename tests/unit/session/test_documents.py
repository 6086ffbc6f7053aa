"""Documents of a run: read, checked for blocked modules, and bound to their parameters."""

from pathlib import Path

import pytest

from awstoe.errors import DocumentError
from awstoe.session.documents import Loader

TEXT = """\
schemaVersion: 1.0
parameters:
  - Own: {type: string, default: x}
phases:
  - name: build
    steps:
      - {name: S, action: ExecuteBash, inputs: {commands: [x]}}
"""


def test_a_valid_document_is_loaded_without_problems(tmp_path: Path) -> None:
    path = tmp_path / "doc.yml"
    path.write_text(TEXT)
    loaded = Loader(frozenset()).load(str(path))
    assert loaded.document is not None
    assert (loaded.problems, loaded.rendered) == ([], [])


def test_a_blocked_module_is_a_problem_with_its_source_line(tmp_path: Path) -> None:
    path = tmp_path / "doc.yml"
    path.write_text(TEXT)
    loaded = Loader(frozenset({"ExecuteBash"})).load(str(path))
    assert loaded.document is None
    assert [problem.code for problem in loaded.problems] == ["blocked-action"]
    assert "{name: S, action: ExecuteBash" in loaded.rendered[0]


def test_a_missing_document_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        Loader(frozenset()).load(str(tmp_path / "missing.yml"))


def test_the_same_content_is_parsed_once() -> None:
    loader = Loader(frozenset())
    first = loader.parse("doc.yml", TEXT.encode())
    assert loader.parse("doc.yml", TEXT.encode()) is first
    assert loader.parse("doc.yml", TEXT.encode() + b"\n") is not first
