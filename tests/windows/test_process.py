"""Real child processes on Windows: output, end, and descendants."""

import ctypes
import msvcrt
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from awstoe import limits
from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host import kernel32_windows
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.windows import job, pipes, terminate
from unit.host.programs import Runner, wait_until

assert sys.platform == "win32"

# Writes both process IDs to the file `pids`.
PARENT = """
import os, subprocess, sys, time
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open("pids", "w") as file:
    file.write(f"{os.getpid()} {below.pid}")
"""


def python(runner: Runner, program: str, *arguments: str, seconds: float = 30) -> int:
    return runner.argv(sys.executable, "-c", program, *arguments, seconds=seconds).exit_code


def alive(runner: Runner) -> list[int]:
    return [pid for pid in runner.pids() if children.identity(pid)]


@pytest.fixture(autouse=True)
def in_its_folder(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runner.folder)


@pytest.mark.parametrize("code", [0, 7, 259, 3010, 0x80004005, 0xC0000005])
def test_exit_code_has_all_its_bits(runner: Runner, code: int) -> None:
    program = f"import ctypes; ctypes.windll.kernel32.ExitProcess(ctypes.c_uint({code}))"
    assert python(runner, program) == code


def test_streams_are_kept_apart_and_complete(runner: Runner) -> None:
    python(runner, "import os; os.write(1, b'out'); os.write(2, b'err'); os.write(1, b'last')")
    assert runner.stdout == b"outlast"
    assert runner.stderr == b"err"


def test_ten_megabytes_arrive_in_bounded_pieces(runner: Runner) -> None:
    sizes: list[int] = []
    runner.argv(
        *(sys.executable, "-c", "import os\nfor _ in range(100): os.write(1, bytes(100_000))"),
        on_stdout=lambda data: sizes.append(len(data)),
    )
    assert sum(sizes) == 10_000_000
    assert max(sizes) <= 65_536


def test_output_in_the_consoles_code_page_becomes_utf8(runner: Runner) -> None:
    python(runner, r"import os; os.write(1, b'gr\x81n\r\n' + '\u4e16'.encode())")
    assert runner.stdout.decode() == "grün\r\n\u4e16"


def test_child_gets_no_standard_input_and_our_folder(runner: Runner) -> None:
    python(runner, "import os, sys; print(repr(sys.stdin.read()), os.getcwd())")
    assert runner.stdout.decode().strip() == f"'' {runner.folder}"


def test_child_inherits_no_handle_but_its_streams(runner: Runner) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)  # noqa: FBT003 - the system's order
    code = python(
        runner,
        "import ctypes, sys; count = ctypes.c_ulong();"
        "written = ctypes.windll.kernel32.WriteFile("
        "ctypes.c_void_p(int(sys.argv[1])), b'x', 1, ctypes.byref(count), None);"
        "sys.exit(5 - written)",
        str(msvcrt.get_osfhandle(writer)),
    )
    os.close(writer)
    assert (code, os.read(reader, 1)) == (5, b"")
    os.close(reader)


@pytest.mark.parametrize(
    "arguments",
    [
        ["a b", "", "c"],
        ['say "hi"', "\\", "C:\\a b\\", '\\"', "%PATH%", "^&|<>", "*.txt", "ä \u4e16 \U0001f600"],
        ["x" * 30_000],
    ],
)
def test_arguments_arrive_unchanged(runner: Runner, arguments: list[str]) -> None:
    python(runner, "import sys; sys.stdout.buffer.write(ascii(sys.argv[1:]).encode())", *arguments)
    assert runner.stdout.decode() == ascii(arguments)


def test_batch_file_gets_its_arguments_and_they_stay_arguments(runner: Runner) -> None:
    (runner.folder / "say.cmd").write_text('@echo [%1] ["%~2"]\n@exit /b 4\n')
    end = runner.argv(".\\say", "two words", "a&echo injected")
    assert end.exit_code == 4
    assert runner.stdout.decode().splitlines() == ['["two words"] ["a&echo injected"]']


def test_environment_is_exactly_the_given_one_with_its_names(runner: Runner) -> None:
    given = {"Mixed": "ä", "A": "1", "SystemRoot": os.environ["SYSTEMROOT"]}
    (runner.folder / "show.cmd").write_text("@set\n")
    runner.argv(".\\show.cmd", environment=given)
    lines = set(runner.stdout.decode().splitlines())
    assert {"A=1", "Mixed=ä", f"SystemRoot={given['SystemRoot']}"} <= lines
    assert not any(line.startswith("USERNAME=") for line in lines)


def test_child_environment_keeps_the_case_of_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("_PYI_X", "1")
    ctypes.windll.kernel32.SetEnvironmentVariableW("MixedCase", "1")
    environment = child_environment()
    ctypes.windll.kernel32.SetEnvironmentVariableW("MixedCase", None)
    assert environment["MixedCase"] == "1"
    assert "_PYI_X" not in environment


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["no-such-program"], "no such program in PATH"),
        ([r"C:\no\such.exe"], "there is no such file"),
        ([r".\no-such"], "there is no such file in "),
        (["C:\\"], "it is a folder"),
        (["{folder}\\text.exe"], "it is not a program for this machine"),
        (["here"], "there is no such program in PATH"),
        (["{python}", "a\0b"], "cannot be passed to a program"),
        (["{python}", "x" * 40_000], "are too long"),
        ([".\\here.bat", "a\nb"], "cannot be passed to a program"),
        ([".\\here.bat", "x" * 9_000], "are too long"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_error_explains_why_a_program_cannot_start(
    runner: Runner, argv: list[str], message: str
) -> None:
    (runner.folder / "text.exe").write_text("this is not a program\n" * 100)
    (runner.folder / "here.bat").write_text("@echo here\n")
    program = argv[0].format(folder=runner.folder, python=sys.executable)
    with pytest.raises(HostError) as caught:
        runner.argv(program, *argv[1:])
    assert message in caught.value.message
    assert caught.value.hint
    if program == "here":
        assert r"use .\here.bat" in caught.value.hint.lower()


def test_timeout_ends_the_whole_tree_and_keeps_the_output(runner: Runner) -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutExceeded, match="its processes have been ended"):
        python(runner, PARENT + "print('begun', flush=True)\ntime.sleep(600)", seconds=8)
    assert time.monotonic() - start < 25
    assert runner.stdout == b"begun\r\n"
    assert len(runner.pids()) == 2
    assert not alive(runner)


def test_failure_ends_background_processes(runner: Runner) -> None:
    assert python(runner, PARENT + "sys.exit(3)") == 3
    assert not alive(runner)


@pytest.mark.usefixtures("short_grace")
def test_background_of_a_successful_step_keeps_running(runner: Runner) -> None:
    assert python(runner, PARENT + "os._exit(0)") == 0
    background = runner.pids()[1]
    with pytest.raises(TimeoutExceeded):
        python(runner, "import time; time.sleep(600)", seconds=0.5)
    assert children.identity(background)


@pytest.mark.usefixtures("short_grace")
def test_held_open_pipe_is_read_after_the_run_returned(runner: Runner) -> None:
    program = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c',"
        " 'import time; time.sleep(3); print(5, flush=True); time.sleep(600)']);"
        " open('pids', 'w').write(str(child.pid)); print('now')"
    )
    end = runner.argv(sys.executable, "-c", program)
    assert end == children.ProcessEnd(0, held_open=True)
    assert runner.stdout == b"now\r\n"
    wait_until(lambda: runner.late == b"5\r\n")
    children.drain_end()
    assert alive(runner)


def test_flood_of_output_does_not_delay_the_timeout(runner: Runner) -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutExceeded):
        python(runner, "while True: print('yes' * 1000)", seconds=1)
    assert time.monotonic() - start < 8


def test_program_that_closed_its_output_is_waited_for(runner: Runner) -> None:
    program = "import os, time; os.write(1, b'last'); os.close(1); os.close(2); time.sleep(1)"
    assert python(runner, program + "; os._exit(5)") == 5
    assert runner.stdout == b"last"


def test_error_of_a_sink_ends_the_tree_and_is_raised(runner: Runner) -> None:
    def on_stdout(data: bytes) -> None:
        raise HostError(f"disk full at {data!r}")

    program = PARENT + "print('x', flush=True)\ntime.sleep(600)"
    with pytest.raises(HostError, match="disk full"):
        runner.argv(sys.executable, "-c", program, on_stdout=on_stdout)
    assert not alive(runner)


def send_by_a_file(group: int) -> bool:
    """Replace Ctrl-Break, which Wine does not send."""
    Path("ctrl-break").write_text(str(group))
    return True


WAITING = """
import os, sys, time
open("started", "w").close()
while not os.path.exists("ctrl-break"):
    time.sleep(0.05)
print("bye", sys.argv[1:], flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize(("seconds", "ended_by_itself"), [("0", True), ("60", False)])
def test_program_gets_ctrl_break_and_a_grace_period(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, seconds: str, *, ended_by_itself: bool
) -> None:
    monkeypatch.setattr(terminate, "_send_ctrl_break", send_by_a_file)
    monkeypatch.setattr(kernel32_windows.api, "GetConsoleCP", lambda: 437)
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 30 if ended_by_itself else 2)
    with pytest.raises(TimeoutExceeded, match="its processes have been ended"):
        python(runner, WAITING, seconds, seconds=6)
    assert Path("ctrl-break").read_text() == str(runner.pid)
    assert runner.stdout.startswith(b"bye")
    assert children.identity(runner.pid) is None


DRIVER = """
import os, sys
from awstoe.host.process import children
from awstoe.host.process.interruption import Interruption

children.run(
    [sys.executable, "-c", PROGRAM], environment=dict(os.environ), on_stdout=print,
    on_stderr=print, deadline=None, interruption=Interruption())
"""


def test_running_step_ends_with_a_killed_awstoe(runner: Runner) -> None:
    program = DRIVER.replace("PROGRAM", repr(PARENT + "time.sleep(600)"))
    with subprocess.Popen([sys.executable, "-c", program]) as driver:
        pids = Path("pids")
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, seconds=30)
        driver.kill()
    wait_until(lambda: not alive(runner))


def test_process_is_identified_by_its_creation_time() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        identity = children.identity(child.pid)
        assert identity is not None
        assert children.identity_from_token(child.pid, identity.token) == identity
        assert children.orphans(identity) != ()
        assert children.orphans(identity._replace(start_time=identity.start_time + 1)) == ()
        child.kill()
    assert children.identity(child.pid) is None
    assert children.orphans(identity) == ()
    assert children.identity_from_token(1, "x") is None


def handles() -> int:
    """Return how many handles this process has."""
    count = ctypes.c_ulong()
    own = ctypes.c_void_p(-1)
    ctypes.windll.kernel32.GetProcessHandleCount(own, ctypes.byref(count))
    return count.value


def test_program_with_unreadable_output_is_ended_and_leaves_no_handle(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = job.Job.take

    def noted(self: job.Job, process: int) -> None:
        take(self, process)
        started.append(ctypes.windll.kernel32.GetProcessId(ctypes.c_void_p(process)))

    def refused(_pipe: pipes.Pipe) -> None:
        raise ctypes.WinError(8)

    started: list[int] = []
    monkeypatch.setattr(job.Job, "take", noted)
    python(runner, "")
    before = handles()
    monkeypatch.setattr(pipes.Pipe, "begin", refused)
    for _ in range(5):
        with pytest.raises(HostError, match="Cannot start"):
            python(runner, "import time; time.sleep(600)")
    assert handles() <= before
    wait_until(lambda: not any(map(children.identity, started)))


def test_twenty_runs_leave_no_handle(runner: Runner) -> None:
    (runner.folder / "quick.cmd").write_text("@exit /b 0\n")
    runner.argv(".\\quick")
    before = handles()
    for _ in range(20):
        runner.argv(".\\quick")
        with pytest.raises(HostError):
            runner.argv("no-such-program")
    assert handles() <= before
