"""The programs that awstoe itself runs are never taken from a folder that others may write to."""

import os
import sys
from pathlib import Path

import pytest

from awstoe.errors import HostError
from awstoe.host.files import foreign_writes
from awstoe.host.process import system_programs
from unit.host.programs import Runner

if sys.platform == "win32":
    pytest.skip("tests/windows/test_system_programs.py is for Windows", allow_module_level=True)

OTHER = 65533
# How others could have put a program into a folder: its owner, its group, its mode and that of its
# parent.
FOREIGN = {
    "everybody may write": (-1, -1, 0o777, 0o755),
    "everybody may add something": (-1, -1, 0o1777, 0o755),
    "a group may write": (-1, OTHER, 0o775, 0o755),
    "a group may add something": (-1, OTHER, 0o1775, 0o755),
    "it is another user's": (OTHER, -1, 0o755, 0o755),
    "everybody may write to its parent": (-1, -1, 0o755, 0o777),
}


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder with a program that is called as one of the system's."""
    return make(tmp_path / "planted" / "bin", "echo planted")


def make(folder: Path, command: str) -> Path:
    folder.mkdir(parents=True, mode=0o755)
    program = folder / "bash"
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)
    return folder


def output(runner: Runner, path: str, *argv: str) -> bytes:
    """Run a program with this PATH, and return its standard output."""
    runner.stdout.clear()
    runner.argv(*argv, environment={**os.environ, "PATH": path})
    return bytes(runner.stdout)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_planted_program_is_not_run(runner: Runner, planted: Path, name: str) -> None:
    if os.geteuid() != 0 and "everybody" not in name:
        pytest.skip("only root can give a folder away")
    owner, group, mode, of_parent = FOREIGN[name]
    os.chown(planted, owner, group)
    planted.chmod(mode)
    planted.parent.chmod(of_parent)
    path = f"{planted}:{os.environ['PATH']}"
    assert output(runner, path, "bash", "-c", "echo real") == b"real\n"
    assert output(runner, path, "env", "A=b", "bash", "-c", "echo $A") == b"b\n"


@pytest.mark.parametrize("entry", ["", ".", "planted/bin", "./planted/bin"])
def test_a_relative_folder_in_path_is_not_searched(
    runner: Runner, planted: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.chdir(planted if entry in ("", ".") else planted.parent.parent)
    path = f"{entry}:{os.environ['PATH']}"
    assert output(runner, path, "bash", "-c", "echo real") == b"real\n"


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_program_in_a_safe_folder_is_run(runner: Runner, planted: Path, mode: int) -> None:
    planted.chmod(mode)
    assert output(runner, f"{planted}:/bin", "bash") == b"planted\n"


def test_the_message_says_why_a_program_in_path_is_not_run(runner: Runner, planted: Path) -> None:
    planted.chmod(0o777)
    with pytest.raises(HostError, match="only in folders that are relative or that other users"):
        output(runner, str(planted), "bash")
    assert system_programs.find("bash", {"PATH": str(planted)}) is None


def test_a_program_that_was_found_is_searched_again_when_it_has_gone(tmp_path: Path) -> None:
    first, second = (make(tmp_path / name, "true") for name in ("first", "second"))
    path = {"PATH": f"{first}:{second}"}
    assert system_programs.find("bash", path) == str(first / "bash")
    (first / "bash").unlink()
    assert system_programs.find("bash", path) == str(second / "bash")


def test_a_link_is_judged_by_where_it_leads(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir(mode=0o755)
    link.symlink_to(real)
    assert not foreign_writes.possible(str(link))
    real.chmod(0o777)
    assert foreign_writes.possible(str(link))
