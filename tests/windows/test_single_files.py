"""Single files that a step runs are asked to stop, each by its boot loader's event."""

import subprocess
import sys
from pathlib import Path

import pytest

from awstoe import limits
from awstoe.errors import TimeoutExceeded
from awstoe.host import jobs_windows, process, single_files_windows
from unit.host.programs import Runner, wait_until

assert sys.platform == "win32"

# What the boot loader of a single file does; it leaves its traces in a file.
BOOT_LOADER = """
import ctypes, os, sys
kernel32 = ctypes.WinDLL("kernel32")
kernel32.CreateEventW.restype = ctypes.c_void_p
event = kernel32.CreateEventW(None, True, False, f"Local\\\\awstoe-stop-{os.getpid()}")
trace = open(sys.argv[1], "ab", buffering=0)
trace.write(b"begun ")
kernel32.WaitForSingleObject(ctypes.c_void_p(event), 60_000)
trace.write(b"asked ")
"""
STARTS_ANOTHER = BOOT_LOADER.replace(
    "kernel32.Wait", "import subprocess; subprocess.Popen([*sys.argv[2:], 'b'])\nkernel32.Wait"
)
SLOW = BOOT_LOADER + "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def in_its_folder(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runner.folder)
    for name, text in (("one", BOOT_LOADER), ("outer", STARTS_ANOTHER), ("slow", SLOW)):
        Path(f"{name}.py").write_text(text)


def until_time_is_over(runner: Runner, *argv: str) -> None:
    with pytest.raises(TimeoutExceeded, match="its processes have been ended"):
        runner.argv(*argv, seconds=4)
    assert process.identity(runner.pid) is None


def test_a_single_file_is_asked_and_waited_for(runner: Runner) -> None:
    until_time_is_over(runner, sys.executable, "one.py", "a")
    assert Path("a").read_text() == "begun asked "


def test_who_waits_for_it_does_not_go_on(runner: Runner) -> None:
    line = f"{sys.executable} one.py a & echo on> went-on"
    until_time_is_over(runner, "cmd.exe", "/c", line)
    assert Path("a").read_text() == "begun asked "
    assert not Path("went-on").exists()


def test_what_a_single_file_has_started_is_left_to_it(runner: Runner) -> None:
    until_time_is_over(runner, sys.executable, "outer.py", "a", sys.executable, "one.py")
    assert Path("a").read_text() == "begun asked "
    assert Path("b").read_text() == "begun "


def test_one_that_does_not_stop_is_ended(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 1.0)
    until_time_is_over(runner, sys.executable, "slow.py", "a")
    assert Path("a").read_text() == "begun asked "


def test_one_that_is_not_in_the_job_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its id may have been another's when the job's processes were listed."""
    stranger = subprocess.Popen([sys.executable, "one.py", "a"])
    try:
        wait_until(lambda: Path("a").exists() and "begun" in Path("a").read_text())
        listed = iter([[stranger.pid], []])
        monkeypatch.setattr(jobs_windows.Job, "pids", lambda _: next(listed))
        with single_files_windows.found(jobs_windows.Job()) as files:
            assert files == []
    finally:
        stranger.kill()
        stranger.wait()
