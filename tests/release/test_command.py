"""The command awstoe-release: messages and hints that name it."""

import itertools
import shlex
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import pytest

from awstoe_release import operations, pipeline
from awstoe_release.__main__ import _parser as release_parser
from awstoe_release.__main__ import main
from awstoe_release.failure import RegionFailure
from awstoe_signing.__main__ import _parser as signing_parser
from awstoe_signing.keys import lifecycle


def test_an_error_starts_with_the_name_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--channel", "nightly"]) == 1
    assert capsys.readouterr().err == (
        "awstoe-release: unknown channel 'nightly'\n  hint: expected one of stable, beta\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "usage: awstoe-release "),
        (["prepare", "x"], 2, "expected a version such as 1.2.3, got 'x'"),
        (["rollback", "1.2"], 2, "expected a version such as 1.2.3, got '1.2'"),
        (["plan", "--targets", "linux/sparc"], 1, "unknown target 'linux/sparc'"),
        (["plan", "--region", "mars-1"], 1, "unknown region 'mars-1'"),
    ],
)
def test_wrong_arguments_are_reported_without_a_traceback(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        ended: object = main(arguments)
    except SystemExit as error:
        ended = error.code
    assert ended == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err


@pytest.mark.parametrize("arguments", [["help"], ["help", "prepare"]])
def test_help_is_also_a_word(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(" ".join(["usage: awstoe-release", *arguments[1:]]))


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


def test_the_hint_after_a_failed_withdrawal_is_the_command_for_all_regions_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("us-east-1", "eu-west-3")
    failures = {name: RegionFailure(name, "it is down") for name in names}
    monkeypatch.setattr(operations, "withdraw", lambda *_: failures)
    reason = "it doesn't start"
    command = ["withdraw", "1.0.0", "--reason", reason]
    assert main([*command, "--out", str(tmp_path)]) == 1
    hint = capsys.readouterr().err.splitlines()[-1]
    assert hint.startswith("  hint: when the regions work again, run: awstoe-release ")
    again = shlex.split(hint.partition("awstoe-release ")[2])
    assert again == [*command, "--region", "eu-west-3", "--region", "us-east-1"]


@pytest.mark.parametrize("parser", [release_parser, signing_parser])
def test_both_commands_that_rotate_keys_make_them_valid_for_the_same_time(
    parser: Callable[[], ArgumentParser],
) -> None:
    command = "rotate-key" if parser is release_parser else "rotate"
    options = ["--directory", "DIR"] if parser is signing_parser else []
    parsed = parser().parse_args([command, "--purpose", "openpgp", *options])
    assert parsed.days == lifecycle.ROTATED_DAYS == 2190


def test_help_lists_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert ", ".join(pipeline.NAMES) in " ".join(capsys.readouterr().out.split())
