"""The command awstoe-release: messages and hints that name it."""

import itertools

import pytest

from awstoe_release import pipeline
from awstoe_release.__main__ import main


def test_an_error_starts_with_the_name_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--channel", "nightly"]) == 1
    assert capsys.readouterr().err == (
        "awstoe-release: unknown channel 'nightly'\n  hint: expected one of stable, beta\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        *("run", "plan", "promote", "withdraw", "rollback", "rotate-key", "refresh-timestamp"),
        *("status", "verify", "rehearse", "prepare"),
    ],
)
def test_every_option_is_explained_in_lines_of_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: awstoe-release {command} ")
    assert max(len(line) for line in text.splitlines()) <= 80
    lines = text.splitlines()
    for line, following in itertools.pairwise(lines):
        if line.startswith("  -"):
            explained = len(line.strip().split("  ")) > 1 or following.startswith(" " * 20)
            assert explained, line


def test_help_lists_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert ", ".join(pipeline.NAMES) in " ".join(capsys.readouterr().out.split())
