"""The output of ``awstoe validate`` for several documents."""

import io
import json
from pathlib import Path

import pytest
import yaml

from awstoe.cli.validate import ValidationResult, validate
from awstoe.host.platforms import Platform

GOOD = b"""schemaVersion: 1.0
phases: [{name: build, steps: [{name: A, action: UpdateOS}]}]
"""
ODD = b"version: 1\n" + GOOD
WRONG = GOOD.replace(b"UpdateOS", b"UpdateSO").replace(b"1.0", b"9")


def run(*names: object, strict: bool = False, stdin: bytes = b"") -> ValidationResult:
    return validate(
        [str(name) for name in names],
        platforms=[Platform.LINUX],
        strict=strict,
        stdin=io.BytesIO(stdin),
    )


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_valid_documents_get_awstoes_own_message(tmp_path: Path) -> None:
    one, two = write(tmp_path, "a.yml", GOOD), write(tmp_path, "b.yml", GOOD)

    result = run(one, two)

    assert result.json["validationStatus"] == "success"
    assert result.json["message"] == f"Document(s) [{one}, {two}] is/are valid."
    assert (result.lines, result.exit_code) == ([], 0)


def test_the_message_starts_with_the_first_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", WRONG)

    result = run(path)

    assert result.exit_code == 1
    assert result.json["validationStatus"] == "failed"
    assert result.json["message"] == (
        f"Invalid schema version. Supported versions include: 1.0. ({path}:1:16, and 1 more error)"
    )
    assert [list(problem) for problem in result.json["problems"]] == [
        ["file", "line", "column", "path", "severity", "code", "message", "hint"]
    ] * 2
    assert result.lines[0].startswith(f"{path}:1:16: error: Invalid schema version.")
    assert "did you mean 'UpdateOS'?" in result.lines[1]
    assert json.loads(json.dumps(result.json)) == result.json


def test_warnings_leave_documents_valid_unless_strict(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", ODD)

    assert run(path).exit_code == 0
    assert len(run(path).json["problems"]) == 1
    assert run(path, strict=True).exit_code == 1


def test_all_documents_are_validated_even_after_one_that_cannot_be_read(tmp_path: Path) -> None:
    missing, wrong = tmp_path / "missing.yml", write(tmp_path, "wrong.yml", WRONG)

    result = run(missing, tmp_path / "*.none", wrong, "-", stdin=WRONG)

    assert [problem["file"] for problem in result.json["problems"]] == [
        str(tmp_path / "*.none"),
        str(missing),
        str(wrong),
        str(wrong),
        "<stdin>",
        "<stdin>",
    ]
    assert result.json["problems"][1]["message"] == "there is no such file"
    assert result.json["problems"][1]["line"] == 0


def test_standard_input_can_be_named_only_once() -> None:
    result = run("-", "-", stdin=GOOD)

    assert result.exit_code == 1
    assert "standard input" in result.json["message"]


def test_without_libyaml_the_other_documents_are_still_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    unread, read = write(tmp_path, "a.yml", GOOD), write(tmp_path, "b.json", b'{"name": 1}')

    result = run(unread, read)

    assert result.exit_code == 1
    assert result.json["message"].startswith("cannot read YAML: expected PyYAML with libyaml")
    first, *others = result.json["problems"]
    assert (first["file"], first["code"], first["line"]) == (str(unread), "unreadable", 0)
    assert "wheel of PyYAML" in first["hint"]
    assert {problem["file"] for problem in others} == {str(read)}


UNAVAILABLE = GOOD.replace(
    b"action: UpdateOS",
    b"action: WebDownload, inputs: [{source: 'https://a.example', destination: b}]",
)


def test_what_this_version_cannot_run_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", UNAVAILABLE)

    result = run(path)

    assert result.exit_code == 0
    (problem,) = result.json["problems"]
    assert problem["severity"] == "warning"
    assert "uses WebDownload, which is not in this version" in problem["message"]
    assert result.lines[0].startswith(f"{path}:2:32: warning: step 'A' in phase 'build' uses ")


def test_what_this_version_cannot_run_is_an_error_of_strict_validation(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", UNAVAILABLE)

    result = run(path, strict=True)

    assert result.exit_code == 1
    assert [problem["severity"] for problem in result.json["problems"]] == ["error"]
