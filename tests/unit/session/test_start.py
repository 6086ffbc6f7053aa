"""Errors before a run starts, and the result that reports them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from awstoe.errors import AwstoeError
from awstoe.reporting.console import Console
from awstoe.session.request import RequestedDocument, RunRequest
from awstoe.session.start import launch

TEXT = "schemaVersion: 1.0\nphases: [{name: build, steps: [{name: A, action: UpdateOS}]}]\n"


class RecordingConsole(Console):
    """Keeps the errors and the results."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []
        self.results: list[Mapping[str, object] | Sequence[object]] = []

    def error(self, error: AwstoeError) -> None:
        self.errors.append(error.message)

    def result(self, value: Mapping[str, object] | Sequence[object]) -> None:
        self.results.append(json.loads(json.dumps(value)))


def test_without_libyaml_every_document_is_checked_and_the_result_is_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    paths = [tmp_path / "a.yml", tmp_path / "missing.yml", tmp_path / "b.yml"]
    for path in (paths[0], paths[2]):
        path.write_text(TEXT)
    console = RecordingConsole()
    request = RunRequest(
        documents=tuple(RequestedDocument(str(path), {}) for path in paths),
        phases=(),
        execution_id=None,
        log_directory=str(tmp_path),
        state_directory=str(tmp_path / "state"),
        blocked=frozenset(),
        trace=False,
        resume=False,
        stdout_limit=1000,
        arguments=(),
    )

    assert launch(request, console) == 1

    assert ["expected PyYAML" in message for message in console.errors] == [True, False, True]
    (result,) = console.results
    assert isinstance(result, dict)
    assert result["status"] == "failed"
    assert str(result["failureMessage"]).startswith(f"Document {paths[0]} failed! cannot read YAML")
