"""Hints for what users of other tools type: they must not name what awstoe has or lacks."""

import re

import pytest

from awstoe.cli import habits, main

COMMANDS = ("run", "validate", "actions", "version", "verify-signature", "self-update")


def help_of(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    assert main.main([command, "--help"]) == 0
    return capfd.readouterr().out


@pytest.mark.parametrize("command", [*COMMANDS, "update-bundle"])
def test_an_option_with_a_hint_does_not_exist_and_the_hint_does(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    listed = "".join(re.findall(r"(?m)^  -.*\n", help_of(command, capfd)))
    own = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", listed))
    for where, option in habits.options():
        if where not in ("", command) or (where == "" and option in own):
            continue
        assert option not in own
        hint = habits.option(command, option)
        assert hint
        # Options of another command are named with the command.
        for named in re.findall(r"(?<![\w'-])--?[a-z][\w-]*", re.sub(r"'awstoe [^']*'", "", hint)):
            if where:
                assert named in own, (option, named)
        for other, named in re.findall(r"'awstoe ([\w-]+) (--[\w-]+)'", hint):
            assert named in help_of(other, capfd)


def test_commands_with_a_hint_do_not_exist_and_the_hints_do() -> None:
    for name in habits.commands():
        assert name not in main.COMMANDS
        meant = habits.command(name)
        assert meant is not None
        assert meant.split()[0] in main.COMMANDS


@pytest.mark.parametrize("command", [*COMMANDS, "update-bundle"])
def test_an_unknown_option_has_a_hint(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    required = ["verify", "x"] if command == "update-bundle" else []
    assert main.main([command, *required, "--zzzzzz"]) == 2
    assert (
        f"unknown option --zzzzzz\n  hint: run 'awstoe {command} --help'" in capfd.readouterr().err
    )
