import fcntl
import os
import resource
import threading
import time
from pathlib import Path

import pytest

from awstoe import limits
from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host.process import children
from awstoe.host.process.interruption import Interruption
from unit.host.programs import Driver, Runner, running, wait_until


@pytest.mark.parametrize(
    ("script", "code", "by_signal"),
    [
        ("true", 0, False),
        ("exit 7", 7, False),
        ("exit 194", 194, False),
        ("exit 137", 137, False),
        ("bash -c 'kill -TERM $$'; exit $?", 143, False),
        ("kill -KILL $$", 137, True),
        ("kill -TERM $$", 143, True),
    ],
)
def test_exit_code_is_the_programs(
    runner: Runner, script: str, code: int, *, by_signal: bool
) -> None:
    end = runner.bash(script)
    assert (end.exit_code, end.held_open, end.left, end.by_signal) == (code, False, (), by_signal)


@pytest.mark.parametrize(("script", "known"), [("exit 3", False), ("kill -KILL $$", True)])
def test_whether_memory_was_short_is_asked_only_for_a_killed_program(
    runner: Runner, script: str, *, known: bool
) -> None:
    counted = "oom_kill " in Path("/proc/vmstat").read_text()
    assert (runner.bash(script).out_of_memory is not None) == (known and counted)


def test_streams_are_kept_apart_and_complete(runner: Runner) -> None:
    runner.bash("echo out; echo err >&2; printf last")
    assert runner.stdout == b"out\nlast"
    assert runner.stderr == b"err\n"


def test_output_comes_before_the_program_ends(runner: Runner) -> None:
    go_on = runner.folder / "go-on"

    def on_stdout(data: bytes) -> None:
        runner.stdout.extend(data)
        go_on.touch()

    runner.bash("echo first; until [ -e $0/go-on ]; do sleep .01; done", on_stdout=on_stdout)
    assert runner.stdout == b"first\n"


def test_all_output_of_a_failing_program_is_read(runner: Runner) -> None:
    runner.bash("head -c 900000 /dev/zero; exit 3")
    assert len(runner.stdout) == 900_000


def test_output_that_is_not_utf8_is_unchanged(runner: Runner) -> None:
    runner.bash(r"printf 'a\xff\x00b'")
    assert runner.stdout == b"a\xff\x00b"


def test_100_megabytes_without_a_line_break_use_bounded_memory(runner: Runner) -> None:
    count = 0

    def on_stdout(data: bytes) -> None:
        nonlocal count
        assert len(data) <= limits.READ_CHUNK_BYTES
        count += len(data)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runner.bash("head -c 104857600 /dev/zero", on_stdout=on_stdout)
    assert count == 104_857_600
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


def test_child_gets_no_standard_input(runner: Runner) -> None:
    assert runner.bash("read x || echo none").exit_code == 0
    assert runner.stdout == b"none\n"


def test_child_runs_in_our_folder_and_a_session_of_its_own(runner: Runner) -> None:
    runner.bash("pwd -P; ps -o sid= -p $$; echo $$")
    folder, session, pid = runner.stdout.decode().split()
    assert folder == os.path.realpath(os.getcwd())
    assert session == pid == str(runner.pid)


def test_child_inherits_no_descriptor(runner: Runner, tmp_path: Path) -> None:
    with (tmp_path / "leak").open("w") as file:
        fcntl.fcntl(file.fileno(), fcntl.F_SETFD, 0)
        runner.argv("ls", "/proc/self/fd")
    # 3 is the folder that ls reads
    assert runner.stdout.split() == [b"0", b"1", b"2", b"3"]


def test_child_has_default_signal_dispositions(runner: Runner) -> None:
    runner.bash("grep -E 'SigIgn|SigBlk' /proc/self/status")
    # 32 and 33 belong to the C library: under make they are ignored, which cannot be changed.
    masks = [int(line.split()[1], 16) for line in runner.stdout.splitlines()]
    assert [mask & ~(0b11 << 31) for mask in masks] == [0, 0]


def test_environment_is_exactly_the_given_one(runner: Runner) -> None:
    env = "/usr/bin/env"
    runner.argv(env, environment={"A": "1", "B": os.fsdecode(b"\xff")})
    assert sorted(runner.stdout.splitlines()) == [b"A=1", b"B=\xff"]


def test_program_is_searched_in_the_childs_path(runner: Runner) -> None:
    program = runner.folder / "prog"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    runner.argv("prog", environment={"PATH": str(runner.folder)})
    assert runner.stdout == b"found\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["no-such-program-here"], "no such program in PATH (/nowhere)"),
        (["/no/such/program"], "there is no such file"),
        (["/etc/hostname/program"], "there is no such file"),
        (["./no-such-program"], "there is no such file in "),
        (["/"], "it is a folder"),
        (["{folder}/plain"], "it is not executable"),
        (["{folder}/garbage"], "neither a program for this machine nor a script"),
        (["{folder}/lost"], "names an interpreter that does not exist: /no/such/sh"),
        (["true", "a\0b"], "an argument cannot be passed to a program"),
        (["/bin/true", "x" * 3_000_000], "are too long"),
    ],
)
def test_error_explains_why_a_program_cannot_start(
    runner: Runner, argv: list[str], message: str
) -> None:
    for name, text, mode in (
        ("plain", "", 0o644),
        ("garbage", "\1\2\3\4", 0o755),
        ("lost", "#!/no/such/sh\n", 0o755),
    ):
        file = runner.folder / name
        file.write_text(text)
        file.chmod(mode)
    argv[0] = argv[0].format(folder=runner.folder)
    with pytest.raises(HostError) as caught:
        runner.argv(*argv, environment={"PATH": "/nowhere"})
    assert message in caught.value.message
    assert repr(argv[0]) in caught.value.message


def test_expired_deadline_starts_nothing(runner: Runner) -> None:
    with pytest.raises(TimeoutExceeded):
        runner.bash("touch $0/started", seconds=-1)
    assert not (runner.folder / "started").exists()


def test_timeout_ends_the_program_and_keeps_its_output(runner: Runner) -> None:
    with pytest.raises(TimeoutExceeded) as caught:
        runner.bash("echo $$ > $0/pids; echo begun; sleep 6000", seconds=0.3)
    assert runner.stdout == b"begun\n"
    assert "still running" in caught.value.message
    assert not running(runner.pids()[0])


@pytest.mark.usefixtures("short_grace")
def test_flood_of_output_does_not_delay_the_timeout(runner: Runner) -> None:
    with pytest.raises(TimeoutExceeded):
        runner.bash("trap '' TERM; while :; do echo yes; done", seconds=0.3)


def test_waiting_for_a_program_that_closed_its_output_uses_no_cpu(runner: Runner) -> None:
    before = time.process_time()
    assert runner.bash("echo last; exec >&- 2>&-; sleep .5; exit 5").exit_code == 5
    with pytest.raises(TimeoutExceeded):
        runner.bash("exec >&- 2>&-; sleep 600", seconds=0.5)
    assert runner.stdout == b"last\n"
    assert time.process_time() - before < 0.3


def test_output_during_the_grace_period_is_read(runner: Runner) -> None:
    with pytest.raises(TimeoutExceeded):
        runner.bash("trap 'echo bye; exit' TERM; while :; do sleep .05; done", seconds=0.3)
    assert runner.stdout == b"bye\n"


def test_error_of_a_sink_ends_the_tree_and_is_raised(runner: Runner) -> None:
    def on_stdout(data: bytes) -> None:
        raise HostError(f"disk full at {data!r}")

    with pytest.raises(HostError, match="disk full"):
        runner.bash("echo $$ > $0/pids; echo x; while :; do echo x; done", on_stdout=on_stdout)
    assert not running(runner.pids()[0])


def test_behavior_is_the_same_without_a_descriptor_for_the_child(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert (
        runner.bash("sleep 6000 & echo $! > $0/pids; exec >&- 2>&-; sleep .2; exit 5").exit_code
        == 5
    )
    assert not running(runner.pids()[0])
    with pytest.raises(TimeoutExceeded):
        runner.bash("sleep 600", seconds=0.2)


def test_exit_status_is_right_when_we_were_started_with_sigchld_ignored(driver: Driver) -> None:
    child = driver(
        "from awstoe.host.process import children\n"
        "from awstoe.host.process.interruption import Interruption\n"
        "end = children.run(['sh', '-c', 'exit 9'], environment={}, on_stdout=print,"
        " on_stderr=print, deadline=None, interruption=Interruption())\n"
        "print(end.exit_code)\n",
        ["sh", "-c", "trap '' CHLD; exec \"$@\"", "sh"],
    )
    assert child.communicate(timeout=20) == ("9\n", "")


def test_200_runs_leave_no_descriptor_and_no_zombie(runner: Runner) -> None:
    runner.argv("true")
    before = sorted(os.listdir("/proc/self/fd"))
    others = set(_zombies())  # left by other tests in this process
    for number in range(200):
        runner.argv("sh", "-c", "true & exit 3" if number % 10 == 0 else "true")
    assert sorted(os.listdir("/proc/self/fd")) == before
    wait_until(lambda: set(_zombies()) <= others)


def _zombies() -> list[str]:
    children.run(
        ["true"],
        environment={},
        on_stdout=print,
        on_stderr=print,
        deadline=None,
        interruption=Interruption(),
    )
    return [
        line
        for line in _children()
        if line and (Path("/proc") / line / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    ]


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.mark.usefixtures("short_grace")
def test_run_waits_for_a_held_open_pipe_for_a_limited_time(runner: Runner) -> None:
    gated = "while [ ! -e $0/go ]; do sleep .05; done; echo late; sleep 6000"
    end = runner.bash(f"echo begun; ({gated}) & echo $! > $0/pids")
    assert end == children.ProcessEnd(0, held_open=True)
    assert runner.stdout == b"begun\n"
    (runner.folder / "go").touch()
    wait_until(lambda: runner.late == b"late\n")
    assert running(runner.pids()[0])
    children.drain_end()
    assert "drain" not in [thread.name for thread in threading.enumerate()]


def test_run_waits_for_a_background_program_that_ends_in_time(runner: Runner) -> None:
    assert runner.bash("(sleep .3; echo late) & echo now").held_open is False
    assert runner.stdout == b"now\nlate\n"


def test_run_does_not_wait_for_a_background_program_with_other_output(runner: Runner) -> None:
    assert runner.bash("sleep 6000 > /dev/null 2>&1 & echo $! > $0/pids").held_open is False
    assert running(runner.pids()[0])


def test_reads_are_not_shortened_by_many_small_writes(runner: Runner) -> None:
    runner.bash("for i in {1..20000}; do echo $i; done")
    assert runner.stdout == "".join(f"{i}\n" for i in range(1, 20001)).encode()
