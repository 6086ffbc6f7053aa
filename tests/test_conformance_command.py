"""The command that runs the black-box tests on executables: its verdicts and its time limit."""

import sys
from pathlib import Path

import pytest

from conformance import __main__ as command


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["conformance", *arguments])
    return command.main()


def test_targets_that_are_not_built_are_left_out_and_named_in_the_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "linux-386").touch()
    monkeypatch.setattr(command, "file_of", lambda name: tmp_path / name.replace("/", "-"))
    monkeypatch.setattr(
        command, "judge", lambda name, *_: command.Verdict(name, "9 passed", passed=True)
    )
    assert run(monkeypatch, "all") == 0
    assert capsys.readouterr().out.splitlines() == [
        "conformance: linux/386: 9 passed",
        "conformance: left out because not built: linux/amd64, linux/arm64, windows/amd64;"
        " run make build-all",
    ]
    (tmp_path / "linux-386").unlink()
    assert run(monkeypatch, "all") == 1


def test_tests_that_take_too_long_are_ended_and_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sleeping = [sys.executable, "-c", "import time; print('started'); time.sleep(600)"]
    monkeypatch.setattr(command, "command", lambda *_: sleeping)
    monkeypatch.setattr(command, "LIMIT_SECONDS", 1)
    assert run(monkeypatch, "source") == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "conformance: source: timed out: all subjects together may take 1 seconds ("
    )
