"""What happens to the processes of a step. Scripts write process IDs to the file ``pids``."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from awstoe import limits
from awstoe.errors import TimeoutExceeded
from awstoe.host.process import children
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.linux import process_table, terminate
from unit.host.programs import Driver, Runner, running, wait_until

NOTE = "echo $BASHPID >> $0/pids;"
SLEEP = f"{NOTE} exec sleep 600 > /dev/null 2>&1"
IGNORE_TERM = f"trap '' TERM; {NOTE} while :; do sleep .1; done"
TREES = {
    "child": f"({SLEEP}) & ({SLEEP}) &",
    "grandchild": f"( ( ({SLEEP}) & {SLEEP}) & {SLEEP} ) &",
    "own-session": f"setsid bash -c '{NOTE} exec sleep 600' $0 &",
    "daemon": f"(setsid bash -c '( {NOTE} exec sleep 600 ) & ' $0 > /dev/null 2>&1 & ) &",
    "ignores-term": f"({IGNORE_TERM}) > /dev/null 2>&1 &",
    "stopped": f"({NOTE} kill -STOP $BASHPID; sleep 600) > /dev/null 2>&1 &",
    "holds-the-pipe": f"({NOTE} exec sleep 600) &",
}
ENDINGS = {"fails": ("exit 3", 30.0), "times-out": ("sleep 600", 1.0)}


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("tree", TREES)
def test_nothing_is_left_of_a_step_that(runner: Runner, tree: str, ending: str) -> None:
    last, seconds = ENDINGS[ending]
    script = f"{TREES[tree]} until [ -s $0/pids ]; do sleep .01; done; sleep .1; {last}"
    if ending == "fails":
        assert runner.bash(script, seconds=seconds).exit_code == 3
    else:
        with pytest.raises(TimeoutExceeded, match="its processes have been ended"):
            runner.bash(script, seconds=seconds)
    assert not [pid for pid in runner.pids() if running(pid)]


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("tree", ["child", "own-session", "daemon", "ignores-term"])
def test_background_of_a_successful_step_keeps_running(runner: Runner, tree: str) -> None:
    runner.bash(f"{TREES[tree]} until [ -s $0/pids ]; do sleep .01; done")
    pids = runner.pids()
    assert runner.bash("sleep 600 & exit 3").exit_code == 3
    with pytest.raises(TimeoutExceeded):
        runner.bash("sleep 600", seconds=0.2)
    assert [pid for pid in pids if not running(pid)] == []


def test_later_children_of_a_background_process_keep_running(runner: Runner) -> None:
    runner.bash(
        "(until [ -e $0/go ]; do sleep .01; done; (sleep 600 & echo $! >> $0/pids))"
        " > /dev/null 2>&1 &"
    )
    assert runner.bash("touch $0/go; until [ -s $0/pids ]; do sleep .01; done; exit 3").exit_code
    assert running(runner.pids()[0])


WALKING = """
from awstoe.host.process import children
from awstoe.host.process.linux import process_table
from awstoe.host.process.interruption import Interruption

process_table._all = None
for code in (0, 3):
    print(children.run(
        ["sh", "-c", f"exit {code}"], environment={}, on_stdout=print, on_stderr=print,
        deadline=None, interruption=Interruption()).exit_code)
"""


def test_process_table_is_not_read_if_nothing_is_left(driver: Driver) -> None:
    assert driver(WALKING).communicate(timeout=20) == ("0\n3\n", "")


def test_term_comes_before_kill(runner: Runner) -> None:
    with pytest.raises(TimeoutExceeded):
        runner.bash(
            f"(trap 'echo cleaned > $0/done; exit' TERM; {NOTE} while :; do sleep .05; done) &"
            " sleep 600",
            seconds=0.5,
        )
    assert (runner.folder / "done").read_text() == "cleaned\n"


def test_step_that_keeps_forking_is_ended(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 0.2)
    chain = "trap '' TERM\nf() { sleep .005; (f & ) ; }\nf & f & f & sleep 600"
    with pytest.raises(TimeoutExceeded):
        runner.bash(chain, seconds=0.5)
    session = runner.pid
    table = subprocess.run(["ps", "-eo", "sid="], capture_output=True, text=True, check=True)
    assert str(session) not in table.stdout.split()


# A bootloader, which removes what it unpacked, and its program; both ignore TERM.
ONE_FILE = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
variables = {**os.environ, "_PYI_AWSTOE_PARENT": str(os.getpid())}
program = "import os, sys, time; open(sys.argv[1], 'w').write('begun '); time.sleep(600)"
subprocess.run([sys.executable, "-c", program, sys.argv[1]], env=variables)
open(sys.argv[1], "a").write("removed")
"""


@pytest.mark.slow
@pytest.mark.parametrize("others", [0, 40], ids=["alone", "in-a-crowd"])
def test_a_bootloader_outlives_its_program(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 0.2)
    (runner.folder / "single.py").write_text(ONE_FILE)
    crowd = f"trap '' TERM; for i in $(seq {others}); do sleep 600 & done; "
    with pytest.raises(TimeoutExceeded):
        runner.bash(f"{crowd}{sys.executable} $0/single.py $0/trace; touch $0/continued", seconds=3)
    assert (runner.folder / "trace").read_text() == "begun removed"
    assert not (runner.folder / "continued").exists()


def test_ending_does_not_wait_longer_than_needed(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 6000)
    runner.bash("for i in 1 2 3 4 5; do sleep 60000 & done; exit 1")


def test_children_of_other_code_in_our_session_are_left_alone(runner: Runner) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        runner.bash("sleep 600 & exit 3")
        assert other.poll() is None
        other.kill()
        assert other.wait() == -9


def test_signal_is_never_sent_to_another_process_with_the_same_number() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        process = process_table.look_up(child.pid)
        assert process is not None
        terminate.send(process._replace(start=process.start - 1), signal.SIGKILL)
        time.sleep(0.1)
        assert child.poll() is None
        terminate.send(process, signal.SIGKILL)
        assert child.wait() == -9


def test_process_name_may_contain_anything(runner: Runner) -> None:
    program = runner.folder / ") Z 1 ("
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as child:
        process = process_table.look_up(child.pid)
        child.kill()
    assert process is not None
    assert (process.name, process.parent, process.ended) == (") Z 1 (", os.getpid(), False)


CRASHING = """
import os, signal, sys
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption

def started(pid):
    identity = children.identity(pid)
    print(pid, identity.token, flush=True)

children.run(
    ["bash", "-c", SCRIPT, os.getcwd()], environment=child_environment(), on_stdout=print,
    on_stderr=print, deadline=None, interruption=Interruption(), on_start=started)
"""


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("leader_ends", [False, True])
def test_processes_of_a_crashed_run_are_found_and_ended(
    runner: Runner, driver: Driver, *, leader_ends: bool
) -> None:
    script = f"({IGNORE_TERM}) & ({SLEEP}) & {NOTE} echo; "
    script += "until [ -e $0/go ]; do sleep .01; done" if leader_ends else "sleep 600"
    child = driver(CRASHING.replace("SCRIPT", repr(script)))
    assert child.stdout is not None
    pid, token = child.stdout.readline().split()
    wait_until(lambda: (runner.folder / "pids").exists() and len(runner.pids()) == 3)
    child.kill()
    child.wait()
    (runner.folder / "go").touch()
    if leader_ends:
        wait_until(lambda: not running(int(pid)))
    leader = children.identity_from_token(int(pid), token)
    assert leader is not None
    other_time = leader._replace(start_time=leader.start_time + (1 if not leader_ends else 10**9))
    assert children.orphans(other_time) == ()
    assert children.orphans(leader._replace(boot_id="another")) == ()
    assert len(children.orphans(leader)) >= 2
    assert children.end_left_over(leader, Interruption()) == ()
    assert not [pid for pid in runner.pids() if running(pid)]


def test_ended_process_has_no_identity() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
        assert children.identity(child.pid) is None


@pytest.mark.parametrize("token", ["", "x@y", "@", "-1@y"])
def test_invalid_token_has_no_identity(token: str) -> None:
    assert children.identity_from_token(1, token) is None
