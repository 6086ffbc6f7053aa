"""The JSON files that show the records."""

import json
from pathlib import Path

import pytest

from awstoe.engine.runner import Runner
from awstoe.errors import RecordError
from awstoe.host.files.own_folder import OwnFolder
from awstoe.reporting.log_folder import LogFolder
from awstoe.reporting.record_files import (
    CHAINING,
    DETAILED,
    RecordWriter,
    chaining,
    detailed_output,
)
from fakes.executions import Engine, document, plan

INNERMOST = document(
    "  - name: build\n    steps:\n"
    '      - {name: I, action: Assert, inputs: {stringIsEmpty: ""}, onFailure: Ignore}\n'
    '      - {name: J, action: Assert, inputs: {stringIsEmpty: "é\\n\\""}, onFailure: Ignore}\n',
    "innermost.yml",
)
INNER = document(
    "  - name: build\n    steps:\n"
    "      - {name: N, action: ExecuteDocument, inputs: {document: innermost.yml}}\n",
    "inner.yml",
)
TOP = plan(
    document(
        "  - name: build\n    steps:\n"
        "      - name: O\n        action: ExecuteDocument\n"
        "        loop: {for: {start: 1, end: 2, updateBy: 1}}\n"
        "        inputs: {document: inner.yml}\n"
        "      - name: H\n        action: ExecuteDocument\n        disableLogging: true\n"
        "        inputs: {document: inner.yml}\n"
        '      - {name: P, action: Assert, inputs: {stringIsEmpty: ""}}\n'
    )
)


@pytest.fixture
def engine() -> Engine:
    engine = Engine(INNER, INNERMOST)
    Runner(engine.execution, TOP).run()
    return engine


def test_nested_runs_are_indented_as_the_rest(engine: Engine) -> None:
    text = detailed_output(engine.records.runs[""], TOP)
    records = json.loads(text)
    assert text == json.dumps(records, ensure_ascii=False, indent=4)
    nested, hidden, plain = records["documents"][0]["phases"][0]["steps"]
    assert len(nested["detailedOutput"]) == 2
    inner = nested["detailedOutput"][0]["documents"][0]["phases"][0]["steps"][0]
    innermost = inner["detailedOutput"][0]["documents"][0]["phases"][0]["steps"]
    assert [step["status"] for step in innermost] == ["success", "ignoredFailure"]
    assert hidden["detailedOutput"] is None
    assert plain["detailedOutput"] is None


def test_a_finished_step_is_rendered_once(engine: Engine) -> None:
    run = engine.records.runs[""]
    text = detailed_output(run, TOP)
    step = engine.records.step("", 0, 0, 2)
    assert step.rendered is not None
    assert step.rendered in text
    step.rendered = '"kept"'
    assert '"kept"' in detailed_output(run, TOP)


def test_chaining_lists_nested_documents_below_their_step(engine: Engine) -> None:
    entries = json.loads(json.dumps(chaining(engine.records.runs[""], TOP)))
    nested, hidden, plain = entries[0]["phases"][0]["steps"]
    assert [entry["phases"][0]["steps"][0]["name"] for entry in nested["documents"]] == ["N", "N"]
    assert hidden["documents"] is None
    assert plain["documents"] is None


def log_folder(path: Path) -> LogFolder:
    path.mkdir(exist_ok=True)
    return LogFolder(OwnFolder.open(str(path)), [])


def test_both_files_are_written(engine: Engine, tmp_path: Path) -> None:
    RecordWriter(log_folder(tmp_path), engine.records).write()
    run = engine.records.runs[""]
    assert (tmp_path / DETAILED).read_text() == detailed_output(run, TOP)
    assert json.loads((tmp_path / CHAINING).read_text()) == chaining(run, TOP)


def test_nothing_is_written_before_the_run_has_a_plan(engine: Engine, tmp_path: Path) -> None:
    engine.records.runs[""].plan = None
    RecordWriter(log_folder(tmp_path), engine.records).write()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_again_stops_the_run(engine: Engine, tmp_path: Path) -> None:
    folder = log_folder(tmp_path / "removed")
    (tmp_path / "removed").rmdir()
    tmp_path.rename(tmp_path.with_name("moved"))
    tmp_path.write_text("a file has its place")
    with pytest.raises(RecordError, match="another process removed or moved the log folder"):
        RecordWriter(folder, engine.records).write()
