r"""``\r\n`` in scripts and contents, as documents and outputs from Windows have it."""

import pytest

from cli.running import Toe, action, bash

NOTICE = "ExecuteBash: Removed the carriage return at the end of {} of the script"


def test_a_script_with_carriage_returns_runs_as_without(toe: Toe) -> None:
    script = "set -e\r\nif true; then\r\n  mkdir folder\r\nfi\r\ncat <<END\r\nhi\r\nEND\r\n"
    ended = toe.steps(bash("Script", script))

    assert ended.exit_code == 0
    assert ended.printed("Script") == "hi"
    assert (toe.folder / "folder").is_dir()
    assert NOTICE.format("7 lines") in ended.messages


def test_a_value_with_a_carriage_return_does_not_become_a_part_of_a_name(toe: Toe) -> None:
    ended = toe.steps(
        bash("Name", r"printf 'folder\r\n'"),
        bash("Make", "mkdir {{ build.Name.outputs.stdout }}"),
    )

    assert ended.exit_code == 0
    assert (toe.folder / "folder").is_dir()
    assert NOTICE.format("1 line") in ended.messages


def test_carriage_returns_within_lines_stay(toe: Toe) -> None:
    ended = toe.steps(bash("Inside", "printf '%s' 'a\rb' | od -An -c"))

    assert ended.printed("Inside").split() == ["a", r"\r", "b"]
    assert not any("carriage return" in line for line in ended.messages)


@pytest.mark.parametrize("name", ["CreateFile", "AppendFile"])
def test_a_content_keeps_its_line_ends(toe: Toe, name: str) -> None:
    toe.write("file", "")
    toe.steps(action("Write", name, [{"path": "file", "content": "a\r\nb\r\n"}]))

    assert (toe.folder / "file").read_bytes() == b"a\r\nb\r\n"
