"""`awstoe actions` and docs/actions.md match the modules."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from awstoe.actions import reference
from awstoe.actions.table import ACTIONS
from awstoe.cli.actions import actions
from awstoe.errors import UsageError

PAGE = Path(__file__).parents[3] / "docs" / "actions.md"


def test_the_page_is_current(golden: Callable[[Path, str], None]) -> None:
    golden(PAGE, reference.markdown())


def test_the_list_has_every_action_and_marks_those_that_cannot_run() -> None:
    lines = actions(None, as_json=False).splitlines()
    assert len(lines) == 31
    for name, row in ACTIONS.items():
        line = next(line for line in lines if line.split()[0] == name)
        assert ("(not in this version)" in line) == (not row.implemented)


def test_the_list_of_actions_is_printed_as_json() -> None:
    entries = json.loads(actions(None, as_json=True))
    assert [entry["name"] for entry in entries] == list(ACTIONS)
    assert set(entries[0]) == {"name", "summary", "platforms", "implemented"}


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_printed_as_text(name: str) -> None:
    text = actions(name, as_json=False)
    assert text.startswith(f"{name}: ")
    assert f"action: {name}" in text


def test_an_action_is_printed_as_json() -> None:
    entry = json.loads(actions("CreateFile", as_json=True))
    inputs = {each["name"]: each for each in entry["inputs"]}
    assert inputs["path"]["required"]
    assert inputs["overwrite"]["default"] is True
    assert inputs["permissions"]["platforms"] == ["linux"]
    assert "utf16-LE" in inputs["encoding"]["choices"]
    assert entry["implemented"] is True
    assert entry["example"].startswith("- path: ")


def test_inputs_and_their_defaults_are_listed() -> None:
    text = actions("CopyFile", as_json=False)
    assert "overwrite    boolean  true      Whether existing files are replaced." in text


def test_case_of_the_name_does_not_matter() -> None:
    assert actions("copyfile", as_json=False) == actions("CopyFile", as_json=False)


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(UsageError) as caught:
        actions("CopyFiles", as_json=False)
    assert caught.value.hint == "did you mean CopyFile?"
    with pytest.raises(UsageError) as caught:
        actions("Zzz", as_json=False)
    assert caught.value.hint == "to list all of them, run 'awstoe actions'"


@pytest.mark.parametrize("name", [None, *ACTIONS])
def test_on_a_terminal_no_word_is_cut(name: str | None) -> None:
    plain = actions(name, as_json=False)
    for width in (80, 60, 200):
        wrapped = actions(name, as_json=False, width=width)
        assert wrapped.split() == plain.split()
        if width == 80:
            text = wrapped.partition("Example:")[0]
            assert max(map(len, text.splitlines())) <= width
