"""Orphans are reaped when they end. Without that, these tests wait until their limit.

The programs run with a clock that stands still, so no timer can be what reaps.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from awstoe.host.process import children
from awstoe.host.process.linux import reaper
from unit.host.programs import Driver, Runner, wait_until

PROGRAM = """
import os, signal, sys, time
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption

time.monotonic = lambda: 0.0
printed = 0

def count(data):
    global printed
    printed += len(data)

def bash(script):
    return children.run(
        ["bash", "-c", script, os.getcwd()], environment=child_environment(), on_stdout=count,
        on_stderr=count, deadline=None, interruption=Interruption()).exit_code
"""
DAEMON = "setsid sleep 600 > /dev/null 2>&1 & echo $! > $0/pids;"
STOP = "pid=$(< $0/pids); kill $pid;"
WAIT = "while kill -0 $pid 2> /dev/null; do sleep .02; done"
WAIT_AND_PRINT = "while kill -0 $pid 2> /dev/null; do echo 12345678901234567; done"
PARENT_ENDS_LATER = """
(sleep 0 & echo $! > $0/pids; exec sleep 600) &
until [ -s $0/pids ]; do sleep .01; done
pid=$(< $0/pids)
until [[ $(ps -o state= -p $pid) == Z ]]; do sleep .01; done
kill $!
"""


def steps(*scripts: str) -> str:
    """Return a program that runs the scripts one after the other, and prints the last exit code."""
    return f"{PROGRAM}\nprint([bash(script) for script in {scripts!r}][-1])"


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param([DAEMON + STOP + WAIT], id="sleeps"),
        pytest.param([DAEMON + STOP + WAIT_AND_PRINT], id="floods-its-output"),
        pytest.param([DAEMON, STOP + WAIT], id="stops-the-daemon-of-an-earlier-step"),
        pytest.param([PARENT_ENDS_LATER + WAIT], id="ends-the-parent-of-an-ended-process"),
    ],
)
def test_an_orphan_is_reaped_while_the_step(driver: Driver, scripts: Sequence[str]) -> None:
    assert driver(steps(*scripts)).communicate() == ("0\n", "")


BETWEEN_STEPS = f"""{PROGRAM}
import select, threading

def watch():
    while os.path.exists(f"/proc/{{pid}}"):
        pass
    print("reaped", flush=True)
    os._exit(0)

with children.reaping_orphans():
    bash({DAEMON!r})
    with open("pids") as file:
        pid = int(file.read())
    threading.Thread(target=watch).start()
    os.kill(pid, signal.SIGKILL)
    while True:
        WAITING
"""


@pytest.mark.parametrize("waiting", ["pass", "time.sleep(600)", "select.poll().poll()"])
def test_an_orphan_is_reaped_between_steps(driver: Driver, waiting: str) -> None:
    program = BETWEEN_STEPS.replace("WAITING", waiting)
    assert driver(program).communicate() == ("reaped\n", "")


SIGCHLD_BLOCKED = (
    "import os, signal, sys;"
    "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD});"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.mark.parametrize(
    "before",
    [["python3", "-c", SIGCHLD_BLOCKED], ["sh", "-c", "trap '' CHLD; exec \"$@\"", "sh"]],
    ids=["blocked", "ignored"],
)
def test_orphans_are_reaped_although_the_caller_had_sigchld(
    driver: Driver, before: Sequence[str]
) -> None:
    assert driver(steps(DAEMON + STOP + WAIT), before).communicate() == ("0\n", "")


def test_all_orphans_that_end_at_once_are_reaped(runner: Runner) -> None:
    runner.bash(
        "for i in {1..30}; do (sleep 600 & echo $! >> $0/pids) ; done > /dev/null 2>&1;"
        " kill $(< $0/pids); for pid in $(< $0/pids); do"
        " while kill -0 $pid 2> /dev/null; do sleep .02; done; done",
        seconds=None,
    )


def test_exit_codes_are_the_programs_while_orphans_end(runner: Runner) -> None:
    with children.reaping_orphans():
        codes = [
            runner.bash(f"for i in 1 2 3; do (sleep 0.0$i &) ; done > /dev/null 2>&1; exit {code}")
            for code in (0, 7) * 50
        ]
    assert [each.exit_code for each in codes] == [0, 7] * 50


def test_a_child_that_ends_before_its_id_is_known_keeps_its_exit_status() -> None:
    with children.reaping_orphans():
        with reaper.starting():
            child = subprocess.Popen(["sh", "-c", "exit 7"], start_new_session=True)
            wait_until(lambda: state(child.pid) == "Z")
            reaper.started(child.pid)
        assert child.wait() == 7
        reaper.ended()


def test_children_of_other_code_in_our_session_keep_their_exit_status(runner: Runner) -> None:
    with children.reaping_orphans(), subprocess.Popen(["sh", "-c", "exit 7"]) as other:
        wait_until(lambda: state(other.pid) == "Z")
        runner.bash(DAEMON + STOP + WAIT, seconds=None)
        assert other.wait() == 7


def test_nothing_is_reaped_outside_a_run(runner: Runner) -> None:
    runner.bash("true")
    with subprocess.Popen(["sh", "-c", "exit 7"], start_new_session=True) as other:
        wait_until(lambda: state(other.pid) == "Z")
        assert other.wait() == 7


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
