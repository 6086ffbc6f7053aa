"""What ``awstoe validate`` says about several documents."""

import io
import json
from pathlib import Path

from awstoe.cli.validate import ValidationResult, validate
from awstoe.host.platforms import Platform

GOOD = b"""schemaVersion: 1.0
phases: [{name: build, steps: [{name: A, action: UpdateOS}]}]
"""
ODD = b"version: 1\n" + GOOD
WRONG = GOOD.replace(b"UpdateOS", b"UpdateSO").replace(b"1.0", b"9")


def verdict(*names: object, strict: bool = False, stdin: bytes = b"") -> ValidationResult:
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


def test_valid_documents_get_the_words_of_awstoe(tmp_path: Path) -> None:
    one, two = write(tmp_path, "a.yml", GOOD), write(tmp_path, "b.yml", GOOD)

    found = verdict(one, two)

    assert found.json["validationStatus"] == "success"
    assert found.json["message"] == f"Document(s) [{one}, {two}] is/are valid."
    assert (found.lines, found.exit_code) == ([], 0)


def test_the_message_begins_with_the_first_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", WRONG)

    found = verdict(path)

    assert found.exit_code == 1
    assert found.json["validationStatus"] == "failed"
    assert found.json["message"] == (
        f"Invalid schema version. Supported versions include: 1.0. ({path}:1:16, and 1 more error)"
    )
    assert [list(problem) for problem in found.json["problems"]] == [
        ["file", "line", "column", "path", "severity", "code", "message", "hint"]
    ] * 2
    assert found.lines[0].startswith(f"{path}:1:16: error: Invalid schema version.")
    assert "did you mean 'UpdateOS'?" in found.lines[1]
    assert json.loads(json.dumps(found.json)) == found.json


def test_warnings_leave_documents_valid_unless_strict(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", ODD)

    assert verdict(path).exit_code == 0
    assert len(verdict(path).json["problems"]) == 1
    assert verdict(path, strict=True).exit_code == 1


def test_all_documents_are_judged_also_after_one_that_cannot_be_read(tmp_path: Path) -> None:
    missing, wrong = tmp_path / "missing.yml", write(tmp_path, "wrong.yml", WRONG)

    found = verdict(missing, tmp_path / "*.none", wrong, "-", stdin=WRONG)

    assert [problem["file"] for problem in found.json["problems"]] == [
        str(tmp_path / "*.none"),
        str(missing),
        str(wrong),
        str(wrong),
        "<stdin>",
        "<stdin>",
    ]
    assert found.json["problems"][1]["message"] == "there is no such file"
    assert found.json["problems"][1]["line"] == 0


def test_standard_input_can_be_named_once_only() -> None:
    found = verdict("-", "-", stdin=GOOD)

    assert found.exit_code == 1
    assert "standard input" in found.json["message"]
