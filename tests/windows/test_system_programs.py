"""The programs that awstoe itself runs are never taken from a folder that others may write to."""

import ctypes
import sys
from pathlib import Path

import pytest

from awstoe.host import kernel32_windows
from awstoe.host.files import access_lists_windows
from awstoe.host.process import system_programs

assert sys.platform == "win32"


def make(folder: Path) -> Path:
    folder.mkdir()
    (folder / "shutdown.exe.bat").write_text("@echo planted\r\n")
    return folder


def folder_of(path: str) -> Path:
    """Return the folder in which shutdown.exe is found with this PATH."""
    found = system_programs.find("shutdown.exe", {"PATH": path})
    assert found is not None
    return Path(found).parent


def let_everybody(rights: str, folder: Path) -> None:
    """Give everybody rights to a folder, in the language of security descriptors."""
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    descriptor = ctypes.c_void_p()
    own = access_lists_windows.own_identifier()
    text = ctypes.c_wchar_p(f"D:P(A;;FA;;;{own})(A;;{rights};;;WD)")
    convert = advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW
    assert convert(text, 1, ctypes.byref(descriptor), None)
    assert advapi32.SetFileSecurityW(ctypes.c_wchar_p(str(folder)), 4, descriptor)


def test_a_planted_program_is_not_found(tmp_path: Path) -> None:
    planted, safe = make(tmp_path / "planted"), make(tmp_path / "safe")
    assert folder_of(f"{planted};{safe}") == planted
    let_everybody("FA", planted)
    assert folder_of(f"{safe};{planted}") == safe
    assert folder_of(f"{planted};{safe};") == safe


@pytest.mark.parametrize("entry", ["", ".", "planted", "\\", "C:"])
def test_a_relative_folder_in_path_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    planted = make(tmp_path / "planted")
    monkeypatch.chdir(tmp_path if entry == "planted" else planted)
    assert folder_of(entry) == Path(kernel32_windows.system_folder())


def test_a_folder_that_others_only_read_is_searched(tmp_path: Path) -> None:
    folder = make(tmp_path / "read")
    let_everybody("FRFX", folder)
    assert folder_of(str(folder)) == folder


@pytest.mark.parametrize("name", sorted(system_programs.NAMES))
def test_the_systems_own_programs_are_found_without_path(name: str) -> None:
    found = system_programs.find(name, {})
    if found is None:
        pytest.skip("this machine does not have it")  # Wine has no Task Scheduler
    assert found.lower().startswith(kernel32_windows.system_folder().lower())


def test_the_systems_folder_is_safe() -> None:
    assert not access_lists_windows.others_may_replace(kernel32_windows.system_folder())
