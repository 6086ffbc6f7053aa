"""The two processes of an executable, bootloader and program, and how they end.

The bootloader unpacks, starts the program as its child, and removes the folder. A caller of awstoe
sees only the bootloader. docs/bootloader.md describes the contract between the two.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.running import Ended, Started, alive, wait_until
from conformance.place import DOCUMENT, Place
from conformance.processes import children, group_of
from subject import chosen

SIGNALS = [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 143)]


class Running(NamedTuple):
    """A run with a long step."""

    place: Place
    started: Started
    program: int
    """The child process of the bootloader."""

    def end(self) -> Ended:
        return self.started.end()


def inside(pid: int) -> int:
    """Wait for the program of a bootloader, and return its process ID."""
    wait_until(lambda: len(children(pid)) == 1)
    return children(pid)[0]


@pytest.fixture
def running(place: Place) -> Running:
    started = place.begin(place.arguments("touch started", "sleep 600 & echo $! > pids; wait"))
    wait_until((place.folder / "pids").exists)
    wait_until(lambda: bool(place.pids()))
    return Running(place, started, inside(started.child.pid))


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_to_the_bootloader_stops_the_run(
    running: Running, number: signal.Signals, code: int
) -> None:
    running.started.signal(number)
    ended = running.end()
    assert ended.exit_code == code
    assert ended.summary["failureMessage"].endswith(f"Interrupted by {number.name}.")
    assert not alive(running.program)
    assert not any(map(alive, running.place.pids()))
    assert running.place.unpacked() == []


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_to_both_processes_counts_once(
    running: Running, number: signal.Signals, code: int
) -> None:
    """A terminal sends Ctrl-C to both, and a supervisor ends the whole group."""
    os.kill(running.program, number)
    running.started.signal(number)
    ended = running.end()
    assert ended.exit_code == code
    assert ended.stderr.count("Interrupted by") == 1
    assert ended.summary["status"] == "failed"
    assert running.place.unpacked() == []


def test_killing_the_bootloader_stops_the_program_which_removes_its_folder(
    running: Running,
) -> None:
    assert running.place.unpacked()
    running.started.child.kill()
    running.started.child.communicate()
    wait_until(lambda: not alive(running.program))
    wait_until(lambda: not any(map(alive, running.place.pids())))
    wait_until(lambda: running.place.unpacked() == [])


def test_the_bootloader_removes_the_folder_of_a_killed_program(running: Running) -> None:
    running.place.killed = True
    os.kill(running.program, signal.SIGKILL)
    ended = running.end()
    assert ended.exit_code == -signal.SIGKILL
    assert running.place.unpacked() == []


def test_a_run_killed_in_the_middle_of_a_step_can_be_resumed(place: Place) -> None:
    document = place.bash("echo x >> begun", "[ -e go ] || sleep 600")
    started = place.begin(place.argv("-d", document, "-l", str(place.folder)))
    wait_until((place.folder / "begun").exists)
    os.kill(inside(started.child.pid), signal.SIGKILL)
    started.end()
    place.write("go", "")
    ended = place.run("-d", document, "-l", str(place.folder), "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert place.read("begun") == "x\nx\n"
    # The resumed run removes the folder of the killed program for the step's script.
    assert place.left() == []


def test_ctrl_c_while_it_unpacks_leaves_nothing(place: Place) -> None:
    for _ in range(10):
        started = place.begin([*place.program, "--version"])
        wait_until(lambda: bool(place.unpacked()) or started.child.poll() is not None)  # noqa: B023
        started.signal(signal.SIGINT)
        assert started.end().exit_code in (0, 130, -signal.SIGINT)
        assert place.left() == []


def test_a_nested_awstoe_in_the_background_outlives_its_parent(place: Place) -> None:
    inner = place.write(
        "inner.yml",
        DOCUMENT + f"            - until [ -e {place.folder}/go ]; do sleep 0.05; done\n"
        "            - touch done\n"
        "      - name: loaded-late\n"
        "        action: SetFileEncoding\n"
        "        inputs: [{path: done, encoding: utf16}]\n",
    )
    nested = f'"$AWSTOE_FILE" run --documents {inner} -l {place.folder}/inner -s inner-state'
    ended = place.call(place.arguments(f"nohup {nested} > log 2>&1 < /dev/null &"))
    assert ended.exit_code == 0, ended.stderr
    wait_until(lambda: len(place.unpacked()) == 1)
    place.write("go", "")
    wait_until((place.folder / "done").exists)
    wait_until(lambda: '"status"' in place.read("log"))
    assert '"status": "success"' in place.read("log")


def test_a_nested_awstoe_unpacks_for_itself(place: Place) -> None:
    """If two programs shared a folder, the first that ends would remove it."""
    ended = place.call(
        place.arguments('"$AWSTOE_FILE" --version', f"ls {place.temporary} > seen", "sleep 0.1")
    )
    assert ended.exit_code == 0, ended.stderr
    assert len([each for each in place.read("seen").split() if each.startswith("_MEI")]) == 1


def test_a_failed_steps_exit_code_is_returned_and_nothing_is_left(place: Place) -> None:
    ended = place.call(place.arguments("exit 3"))
    assert ended.exit_code == 1
    assert ended.summary["failures"][0]["exitCode"] == 3
    assert place.left() == []


def test_a_step_that_times_out_leaves_nothing(place: Place) -> None:
    document = place.write(
        "document.yml",
        DOCUMENT.replace("action:", "timeoutSeconds: 1\n        action:")
        + "            - setsid sleep 600 & sleep 600\n",
    )
    ended = place.run("-d", str(document))
    assert ended.exit_code == 1
    assert place.left() == []


@pytest.mark.parametrize("first", ["trap '' TERM", "true"], ids=["ignores-term", "ends-on-term"])
def test_a_nested_awstoe_with_an_endless_step_leaves_nothing(place: Place, first: str) -> None:
    """It needs the whole grace period for that step, and more time to clean up."""
    stubborn = ("trap '' TERM", "echo $$ > pids", "while true; do sleep 0.1; done")
    inner = place.bash(*stubborn, name="inner.yml")
    outer = place.bash(first, f'"$AWSTOE_FILE" run -d {inner} -l inner -s inner-state')
    limit = f"timeoutSeconds: {2 * chosen().patience}\n        action:"
    place.write(outer, place.read(outer).replace("action:", limit))
    ended = place.run("-d", outer)
    assert ended.exit_code == 1
    assert place.pids()
    if chosen().patience > 1:  # under qemu no process adopts orphans
        wait_until(lambda: not place.unpacked())
    assert not any(map(alive, place.pids()))
    assert place.unpacked() == []
    if first == "true" and chosen().patience == 1:
        assert place.left() == []
    place.killed = True


def test_no_process_of_a_run_is_left_after_it(place: Place) -> None:
    started = place.begin(
        ["setsid", "--wait", *place.arguments("sleep 600 & echo $$ > pids; exit 5")]
    )
    started.end()
    assert group_of(started.child.pid) == []


def test_replacing_the_running_file_does_not_disturb_it(place: Place) -> None:
    file = chosen().file
    assert file is not None
    own = place.folder / "awstoe"
    own.write_bytes(file.read_bytes())
    own.chmod(0o755)
    wait = "until [ -e go ]; do sleep 0.05; done"
    document = Path(place.bash("touch started", wait))
    document.write_text(
        document.read_text()
        + """\
      - name: later
        action: CreateFile
        inputs: [{path: late, content: late}]
      - name: latest
        action: SetFileEncoding
        inputs: [{path: late, encoding: utf16}]
      - name: wrong
        action: DeleteFolder
        onFailure: Ignore
        inputs: [{path: late}]
"""
    )
    place.program = (str(own),)
    started = place.begin(place.argv("-d", str(document)))
    wait_until((place.folder / "started").exists)
    other = place.folder / "other"
    other.write_bytes(b"another program")
    other.replace(own)
    place.write("go", "")
    ended = started.end()
    assert ended.exit_code == 0, ended.stderr
    assert (place.folder / "late").exists()
    assert place.left() == []


def test_awstoe_knows_its_path_when_started_by_a_link_or_from_path(place: Place) -> None:
    file = chosen().file
    assert file is not None
    link = place.folder / "bin" / "awstoe"
    link.parent.mkdir()
    link.symlink_to(file)
    place.environment["PATH"] = f"{link.parent}:{place.environment['PATH']}"
    for command in ([str(link)], ["env", "awstoe"], ["bin/awstoe"]):
        ended = place.call([*command, "version", "--json"])
        assert ended.exit_code == 0, ended.stderr
        assert f'"executable": "{os.path.realpath(file)}"' in ended.stdout


@pytest.mark.parametrize("code", [0, 1, 2])
def test_exit_codes_pass_through_the_bootloader(place: Place, code: int) -> None:
    command = {0: ["--version"], 1: ["validate", "-d", "missing"], 2: ["frobnicate"]}[code]
    assert place.call([*place.program, *command]).exit_code == code


@pytest.mark.parametrize("code", [0, 1])
def test_exit_codes_pass_through_if_the_caller_ignores_the_end_of_children(
    place: Place, code: int
) -> None:
    """The kernel keeps no exit status of children then."""
    words = [*place.program, *(["--version"] if code == 0 else ["validate", "-d", "missing"])]
    start = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
    ended = place.call(
        [sys.executable, "-c", f"{start} os.execv(sys.argv[1], sys.argv[1:])", *words]
    )
    assert ended.exit_code == code
    assert "WARNING" not in ended.stderr


def test_the_first_process_of_a_container_waits_for_orphans(place: Place) -> None:
    """Processes that enter from outside, as by 'docker exec', may leave children."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a namespace of processes")
    watch = (
        "touch started; until [ -e entered ]; do sleep 0.05; done;"
        " for _ in $(seq 600); do grep -q '^State:.Z' /proc/[0-9]*/status 2> /dev/null || exit 0;"
        " sleep 0.05; done; exit 1"
    )
    namespaces = ["unshare", "--pid", "--fork", "--mount-proc"]
    started = place.begin([*namespaces, *place.arguments(f"cd {place.folder}; {watch}")])
    wait_until((place.folder / "started").exists)
    first = inside(started.child.pid)
    enter = ["nsenter", f"--target={first}", "--pid", "--mount"]
    orphan = f"(sh -c 'echo $$ > {place.folder}/orphan') & kill -9 $$"
    subprocess.run([*enter, "sh", "-c", orphan], check=False)
    wait_until((place.folder / "orphan").exists)
    place.write("entered", "")
    ended = started.end()
    assert ended.exit_code == 0, ended.stderr
