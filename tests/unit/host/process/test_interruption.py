"""Signals to another interpreter that runs a program with awstoe."""

import os
import signal
import time
from pathlib import Path

import pytest

from awstoe.errors import Interrupted
from awstoe.host.process.interruption import Interruption
from unit.host.programs import Driver, running, wait_until

PROGRAM = """
import os, sys, time
from awstoe import limits
from awstoe.errors import Interrupted
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption

limits.TERM_GRACE_SECONDS = SECONDS_OF_GRACE
limits.HARD_STOP_SECONDS = 0.3
start = time.monotonic()
with Interruption() as interruption:
    try:
        end = children.run(
            ["bash", "-c", SCRIPT, os.getcwd()], environment=child_environment(),
            on_stdout=lambda data: None, on_stderr=lambda data: None, deadline=None,
            interruption=interruption)
        print("ended", end.exit_code)
    except Interrupted as error:
        print("interrupted", error.signal_number, interruption.hard)
"""
STUBBORN = "(trap '' TERM INT; echo $BASHPID > $0/pids; while :; do sleep .05; done) & wait"
MEEK = "sleep 600 & echo $! > $0/pids; wait"


def program(script: str, grace: float) -> str:
    return PROGRAM.replace("SCRIPT", repr(script)).replace("SECONDS_OF_GRACE", str(grace))


def pid_in(folder: Path) -> int:
    file = folder / "pids"
    wait_until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_the_step_and_is_reported(
    driver: Driver, tmp_path: Path, number: signal.Signals
) -> None:
    child = driver(program(MEEK, 6000))
    pid = pid_in(tmp_path)
    child.send_signal(number)
    assert child.communicate() == (f"interrupted {number:d} False\n", "")
    assert not running(pid)


def test_same_signal_twice_at_once_counts_once(driver: Driver, tmp_path: Path) -> None:
    child = driver(program(STUBBORN, 1.0))
    pid = pid_in(tmp_path)
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGINT)
    assert child.communicate() == ("interrupted 2 False\n", "")
    assert time.monotonic() - start > 0.9
    assert not running(pid)


def test_later_ctrl_c_skips_the_grace_period(driver: Driver, tmp_path: Path) -> None:
    child = driver(program(STUBBORN, 6000))
    pid = pid_in(tmp_path)
    child.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    assert child.communicate() == ("interrupted 15 True\n", "")
    assert not running(pid)


def test_signal_that_was_ignored_at_the_start_stays_ignored(driver: Driver, tmp_path: Path) -> None:
    child = driver(program("echo $$ > $0/pids; sleep .5", 20), ["nohup"])
    pid_in(tmp_path)
    child.send_signal(signal.SIGHUP)
    stdout, _ = child.communicate()
    assert stdout == "ended 0\n"


def test_check_raises_the_signal_that_was_received() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted) as caught:
            interruption.check()
    assert caught.value.signal_number == signal.SIGTERM


def test_handlers_and_wakeup_are_restored() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)
    before = [signal.getsignal(number) for number in numbers]
    descriptors = sorted(os.listdir("/proc/self/fd"))
    with Interruption():
        assert signal.getsignal(signal.SIGTERM) != before[1]
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


def test_interruption_that_was_never_entered_is_never_interrupted() -> None:
    interruption = Interruption()
    interruption.check()
    assert (interruption.signal_number, interruption.hard, interruption.fileno()) == (
        None,
        False,
        -1,
    )


def test_signal_makes_the_descriptor_readable_until_cleared() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGHUP)
        wait_until(lambda: interruption.signal_number == signal.SIGHUP)
        assert os.read(interruption.fileno(), 1)
        os.kill(os.getpid(), signal.SIGTERM)
        interruption.clear()
        with pytest.raises(BlockingIOError):
            os.read(interruption.fileno(), 1)
        assert interruption.signal_number == signal.SIGHUP
