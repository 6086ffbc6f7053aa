"""Facts about a Windows machine, and searches with a time limit."""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from awstoe.errors import ActionError, HostError
from awstoe.host import machine, machine_windows
from awstoe.host.files import access_lists_windows
from awstoe.host.process import exit_codes

assert sys.platform == "win32"


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("cmd", True),
        ("cmd.exe", True),
        ("CMD.EXE", True),
        (r"C:\windows\system32\cmd", True),
        ("beside", True),
        ("no-such-program", False),
        ("", False),
    ],
)
def test_programs_are_found_as_by_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, there: bool
) -> None:
    (tmp_path / "beside.bat").touch()
    monkeypatch.chdir(tmp_path)
    assert machine.HostMachine().binary_exists(name) is there


@pytest.mark.parametrize("path", ["missing", r"missing\below", "a<b", "x" * 300])
def test_what_cannot_exist_is_no_file_and_no_folder(path: str) -> None:
    here = machine.HostMachine()
    assert not here.file_exists(path)
    assert not here.folder_exists(path)
    assert here.file_hash(path, "md5") is None


def test_a_path_with_control_characters_is_an_error() -> None:
    with pytest.raises(ActionError, match="a carriage return"):
        machine.HostMachine().file_exists("name\r")


def test_context_names_are_those_of_the_machine() -> None:
    here = machine.HostMachine()
    assert here.context("hostname").lower() == os.environ["COMPUTERNAME"].lower()
    assert "Windows" in here.context("osName")
    assert (here.context("osVersion"), here.context("osPlatform")) == ("", "windows")


@pytest.mark.parametrize(
    ("administrator", "variable"), [(True, "ProgramData"), (False, "LOCALAPPDATA")]
)
def test_state_folder_depends_on_the_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, *, administrator: bool
) -> None:
    monkeypatch.setattr(machine_windows, "is_administrator", lambda: administrator)
    monkeypatch.setenv(variable, str(tmp_path))
    for _ in range(2):  # the second time the folder exists
        assert machine.state_root() == str(tmp_path / "awstoe" / "state")


def test_state_folder_of_another_user_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_windows, "is_administrator", lambda: True)
    monkeypatch.setattr(access_lists_windows, "own_identifier", lambda: "S-1-5-21-1-2-3-4")
    monkeypatch.setenv("ProgramData", str(tmp_path))
    (tmp_path / "awstoe").mkdir()
    if access_lists_windows.owner(str(tmp_path / "awstoe")) == "S-1-5-32-544":
        pytest.skip("all administrators own this user's folders")
    with pytest.raises(HostError, match="belongs to another user"):
        machine.state_root()


def test_search_that_takes_too_long_is_stopped() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        machine.HostMachine().bounded_search("(a*)*(a*)*(a*)*b", 0, "a" * 5000, 0.5)
    assert 0.4 < time.monotonic() - start < 5


def test_quick_search_is_not_stopped() -> None:
    here = machine.HostMachine()
    for _ in range(200):
        assert here.bounded_search("(a*)*b", 0, "xab" * 30, 1.0)
    assert not here.bounded_search("(a*)+c", 0, "b" * 100, 1.0)


def test_timer_that_fires_as_a_search_ends_leaves_nothing_behind() -> None:
    here = machine.HostMachine()
    handler = signal.getsignal(signal.SIGTERM)
    matches = set()
    for length in range(100):
        text = "a" * (10 + length % 8) + "c" * 60
        with suppress(TimeoutError):
            matches.add(here.bounded_search("(a|aa)*(a|aa)*b", 0, text, 0.001))
        assert here.bounded_search("c", 0, text, 60)  # no late end of the search before it
    assert matches <= {False}
    assert signal.getsignal(signal.SIGTERM) == handler


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0xC0000005, "access violation"),
        (0xC0000135, "a DLL it needs is missing"),
        (1, None),
        (137, None),
    ],
)
def test_exit_codes_of_crashes_are_explained(code: int, expected: str | None) -> None:
    meaning = exit_codes.meaning(code)
    assert (expected in meaning) if expected and meaning else meaning == expected
