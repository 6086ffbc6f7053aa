"""The processes of the executable for Windows, as far as Wine can run them."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from cli.running import wait_until
from conformance.place import Place
from subject import chosen

CONTROL_C_EXIT = 0xC000013A
"""The exit code of a program that Ctrl-C ended. Linux reports its last eight bits."""


def step(name: str, action: str, inputs: object, **keys: object) -> dict[str, object]:
    return {"name": name, "action": action, "inputs": inputs, **keys}


def command(name: str, line: str, **keys: object) -> dict[str, object]:
    """Return a step in which cmd.exe runs a command line."""
    return step(name, "ExecuteBinary", {"path": "cmd.exe", "arguments": ["/c", line]}, **keys)


def endless(name: str) -> dict[str, object]:
    loop = {"for": {"start": 1, "end": 10**12, "updateBy": 1}}
    return step(name, "Assert", {"stringEquals": "a", "value": "a"}, loop=loop)


def mark(place: Place) -> str:
    """Return an execution ID that no other test uses."""
    return "-".join(place.folder.parts[-2:])


def programs(place: Place) -> list[int]:
    """Return the processes that have this place's mark in their arguments."""
    word = os.fsencode(mark(place))
    pids = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if word in line and b"awstoe" in line:
            pids.append(int(entry.name))
    return pids


def test_a_program_gets_the_callers_environment(place: Place) -> None:
    place.environment |= {"GIVEN": "two words", "UMLAUT": "ü"}
    ended = place.run("-d", place.document(command("Show", "set > seen.txt")))
    assert ended.exit_code == 0, ended.stderr
    seen = (place.folder / "seen.txt").read_bytes().decode(errors="replace")
    environment = dict(line.split("=", 1) for line in seen.splitlines() if "=" in line)
    assert environment["GIVEN"] == "two words"
    assert not [name for name in environment if name.startswith(("_PYI", "_MEI", "PYINSTALLER"))]
    assert "_MEI" not in seen


def test_a_nested_awstoe_unpacks_for_itself(place: Place) -> None:
    nested = step("Nested", "ExecuteBinary", {"path": chosen().path, "arguments": ["--version"]})
    look = command("Look", r"dir /b %TEMP%\_MEI* > seen.txt")
    ended = place.run("-d", place.document(nested, look))
    assert ended.exit_code == 0, ended.stderr
    names = (place.folder / "seen.txt").read_text().split()
    assert len([name for name in names if name.startswith("_MEI")]) == 1


def test_a_replaced_executable_does_not_disturb_it(place: Place) -> None:
    """A running program cannot be overwritten, but it can be renamed to make place for another."""
    file = chosen().file
    assert file is not None
    own = place.folder / "awstoe.exe"
    own.write_bytes(file.read_bytes())
    place.program = (*place.program[:-1], str(own))
    swap = command("Swap", "ren awstoe.exe old.exe && copy document.json awstoe.exe")
    later = step("Later", "CreateFile", [{"path": "late", "content": "late"}])
    latest = step("Latest", "SetFileEncoding", [{"path": "late", "encoding": "utf16"}])
    ended = place.run("-d", place.document(swap, later, latest, name="document.json"))
    assert ended.exit_code == 0, ended.stderr
    assert (place.folder / "late").exists()


def test_killing_the_bootloader_stops_the_program(place: Place) -> None:
    document = place.document(step("Begun", "CreateFile", [{"path": "begun"}]), endless("Endless"))
    started = place.begin(place.argv("-d", document, "-i", mark(place)))
    wait_until((place.folder / "begun").exists)
    loader, *_ = sorted(programs(place))
    os.kill(loader, signal.SIGKILL)
    started.child.wait()
    wait_until(lambda: not programs(place))


def inner(place: Place) -> str:
    """Write an endless document, and return a command line that runs it with the subject."""
    phases = [{"name": "build", "steps": [endless("Endless")]}]
    place.write("inner.json", json.dumps({"schemaVersion": "1.0", "phases": phases}))
    run = "run -d inner.json -l inner -s inner-state -i"
    return f"{chosen().path} {run} {mark(place)}"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["{inner}"], id="alone"),
        pytest.param(["{inner}", "echo on> went-on"], id="with-a-command-after-it"),
        pytest.param(["start /b {inner}", "{inner}-2"], id="two-at-once"),
        pytest.param(["cmd /c below.cmd", "echo on> went-on"], id="deep"),
    ],
)
def test_a_step_that_times_out_leaves_nothing(place: Place, lines: list[str]) -> None:
    values = {"inner": inner(place)}
    place.write("lines.cmd", "\r\n".join(each.format(**values) for each in lines) + "\r\n")
    place.write("below.cmd", f"{values['inner']}\r\necho on> went-on\r\n")
    ended = place.run(
        "-d", place.document(command("N", "lines.cmd", timeoutSeconds=2 * chosen().patience))
    )
    assert ended.exit_code == 1
    assert (place.folder / "inner").exists()
    wait_until(lambda: not programs(place))
    assert not place.unpacked()
    assert not (place.folder / "went-on").exists()


def test_a_starting_program_leaves_nothing_when_its_step_times_out(place: Place) -> None:
    """At any moment: before or while it unpacks, while Python starts, or at the end."""
    line = f"for /L %i in (1,1,100000) do {chosen().path} --version"
    steps = [
        command(f"Starts{number}", line, timeoutSeconds=1, onFailure="Continue")
        for number in range(10)
    ]
    ended = place.run("-d", place.document(*steps))
    assert ended.exit_code == 1
    assert not place.unpacked()


def test_ctrl_c_while_it_unpacks_leaves_nothing(place: Place) -> None:
    """Wine turns SIGINT into Ctrl-C. Some arrive later, when the program runs."""
    document = place.document(endless("Endless"))
    for _ in range(20):
        started = place.begin(place.argv("-d", document, "-i", mark(place)))
        while not place.unpacked():  # sleeping would miss the moment
            assert started.child.poll() is None
        while started.child.poll() is None:
            for pid in programs(place):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                started.child.wait(2)
        ended = started.end()
        wait_until(lambda: not programs(place))
        assert not place.unpacked()
        if (ended.exit_code, ended.stderr) == (CONTROL_C_EXIT & 0xFF, ""):
            return
    pytest.fail("no Ctrl-C came before the program")
