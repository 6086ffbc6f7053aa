"""Single-file executables that a step runs are stopped through the events of their bootloaders."""

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from awstoe import limits
from awstoe.errors import Interrupted
from awstoe.host import kernel32_windows
from awstoe.host.process import children
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.windows import job, job_members, one_file, signals, terminate
from unit.host.programs import Runner, wait_until

assert sys.platform == "win32"

RIGHTS = 0x0101
"""PROCESS_SET_QUOTA and PROCESS_TERMINATE, the rights to put a process into a job."""

# Behaves like the bootloader of a single-file executable, and records in a file what happens.
BOOTLOADER = """
import ctypes, os, sys
kernel32 = ctypes.WinDLL("kernel32")
kernel32.CreateEventW.restype = ctypes.c_void_p
event = kernel32.CreateEventW(None, True, False, f"Local\\\\awstoe-stop-{os.getpid()}")
trace = open(sys.argv[1], "ab", buffering=0)
trace.write(b"started ")
kernel32.WaitForSingleObject(ctypes.c_void_p(event), 60_000)
trace.write(b"signaled ")
"""
STARTS_ANOTHER = BOOTLOADER.replace(
    "kernel32.Wait",
    "import subprocess; sys.stdin.read()\nprogram = subprocess.Popen(sys.argv[2:])\nkernel32.Wait",
)
# A program with a job of its own, like awstoe.
HOLDER = """
import subprocess, sys
from awstoe.host import kernel32_windows
from awstoe.host.process.windows import job
own = job.Job()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
own.take(kernel32_windows.open_process(child.pid, 0x0101))
child.stdin.close()
child.wait()
"""
PROGRAMS = {
    "one": BOOTLOADER,
    "outer": STARTS_ANOTHER,
    "slow": BOOTLOADER + "import time; time.sleep(600)",
    "waits": STARTS_ANOTHER + "program.wait(); trace.write(b'removed ')",
    "holder": HOLDER,
    "stubborn": "import sys, time; print('x', file=open(sys.argv[1], 'w'), flush=True);"
    " time.sleep(600)",
}


@pytest.fixture(autouse=True)
def in_its_folder(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runner.folder)
    for name, text in PROGRAMS.items():
        Path(f"{name}.py").write_text(text)


def interrupt_when(runner: Runner, has_started: Callable[[], bool], *argv: str) -> None:
    """Run a program, and stop the run as soon as ``has_started`` returns true."""

    def stop() -> None:
        wait_until(has_started, 60)
        signals.stop()

    waiting = threading.Thread(target=stop)
    waiting.start()
    with Interruption() as interruption, pytest.raises(Interrupted):
        runner.argv(*argv, seconds=90, interruption=interruption)
    waiting.join()
    assert children.identity(runner.pid) is None


def all_started(*names: str) -> bool:
    return all(Path(name).exists() and Path(name).read_text() for name in names)


def test_a_single_file_executable_is_signaled_and_waited_for(runner: Runner) -> None:
    interrupt_when(runner, partial(all_started, "a"), sys.executable, "one.py", "a")
    assert Path("a").read_text() == "started signaled "


def test_the_caller_of_a_signaled_executable_does_not_continue(runner: Runner) -> None:
    line = f"{sys.executable} one.py a & echo on> continued"
    interrupt_when(runner, partial(all_started, "a"), "cmd.exe", "/c", line)
    assert Path("a").read_text() == "started signaled "
    assert not Path("continued").exists()


def test_several_single_file_executables_are_signaled(runner: Runner) -> None:
    line = f"start /b {sys.executable} one.py a & {sys.executable} one.py b"
    interrupt_when(runner, partial(all_started, "a", "b"), "cmd.exe", "/c", line)
    assert Path("a").read_text() == Path("b").read_text() == "started signaled "


def test_a_nested_single_file_executable_is_left_to_its_caller() -> None:
    own_job = job.Job()
    argv = [sys.executable, "outer.py", "a", sys.executable, "one.py", "b"]
    outer = subprocess.Popen(argv, stdin=subprocess.PIPE)
    own_job.take(kernel32_windows.open_process(outer.pid, RIGHTS))
    assert outer.stdin
    outer.stdin.close()
    wait_until(partial(all_started, "a", "b"), 60)
    with job_members.Members(own_job) as members:
        files = one_file.among(members)
        assert len(files) == 2
        assert [file.pid for file in one_file.outermost(files)] == [outer.pid]
    own_job.close()
    outer.wait(60)


def test_a_program_that_does_not_stop_is_ended_before_its_bootloader(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bootloader removes what it unpacked."""
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 1.0)
    monkeypatch.setattr(limits, "BOOTLOADER_SECONDS", 20.0)
    argv = [sys.executable, "waits.py", "a", sys.executable, "stubborn.py", "b"]
    interrupt_when(runner, partial(all_started, "a", "b"), *argv)
    assert Path("a").read_text() == "started signaled removed "


def test_a_program_ends_after_the_single_file_executable_that_it_started(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inner one is in a job of its caller."""
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 1.0)
    monkeypatch.setattr(limits, "BOOTLOADER_SECONDS", 20.0)
    inner = [sys.executable, "waits.py", "b", sys.executable, "stubborn.py", "c"]
    argv = [sys.executable, "waits.py", "a", sys.executable, "holder.py", *inner]
    interrupt_when(runner, partial(all_started, "a", "b", "c"), *argv)
    assert Path("a").read_text() == Path("b").read_text() == "started signaled removed "


def test_a_bootloader_that_does_not_end_is_ended(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 1.0)
    interrupt_when(runner, partial(all_started, "a"), sys.executable, "slow.py", "a")
    assert Path("a").read_text() == "started signaled "


def test_an_executable_without_our_console_is_signaled_later(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have a console of its own."""
    monkeypatch.setattr(kernel32_windows.api, "GetConsoleCP", lambda: 437)
    monkeypatch.setattr(terminate, "_send_ctrl_break", lambda _group: True)
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 1.0)
    monkeypatch.setattr(limits, "BOOTLOADER_SECONDS", 20.0)
    interrupt_when(runner, partial(all_started, "a"), sys.executable, "one.py", "a")
    assert Path("a").read_text() == "started signaled "


def test_an_executable_outside_the_job_is_not_signaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may have had its ID when the job's processes were listed."""
    stranger = subprocess.Popen([sys.executable, "one.py", "a"])
    try:
        wait_until(lambda: Path("a").exists() and "started" in Path("a").read_text())
        listed = iter([[stranger.pid], []])
        monkeypatch.setattr(job.Job, "pids", lambda _: next(listed))
        with job_members.Members(job.Job()) as members:
            assert members.handles == {}
    finally:
        stranger.kill()
        stranger.wait()
