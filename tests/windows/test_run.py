"""Whole runs of documents on Windows, from the command line to the records."""

import json
import os
import subprocess
import sys
import time
import winreg
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from awstoe.host.process import children
from unit.host.programs import wait_until

assert sys.platform == "win32"

# Replaces powershell.exe: records how it was called, and does what the script's lines say.
FAKE_POWERSHELL = r"""
import json, os, sys
options, script = sys.argv[1:-1], sys.argv[-1]
text = open(script, "rb").read()
with open(os.environ["CALLS"], "a") as file:
    file.write(json.dumps({"options": options, "script": script, "text": text.decode()}) + "\n")
for line in text.decode("utf-8-sig").splitlines():
    word, _, rest = line.partition(" ")
    if word == "say":
        print(rest, flush=True)
    elif word == "warn":
        print(rest, file=sys.stderr, flush=True)
    elif word == "exit":
        sys.exit(int(rest))
"""


class Ran(NamedTuple):
    exit_code: int
    summary: dict[str, Any]
    stderr: str
    folder: Path


class Windows:
    """A folder in which awstoe runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "LOCALAPPDATA": str(folder),
            "PROGRAMDATA": str(folder),
            "AWSTOE_REBOOT": "exit",  # do not reboot this machine
        }

    def document(self, *steps: dict[str, object]) -> str:
        phases = [{"name": "build", "steps": [{"name": f"S{i}"} | s for i, s in enumerate(steps)]}]
        text = json.dumps({"name": "test", "schemaVersion": 1.0, "phases": phases})
        (self.folder / "doc.yml").write_text(text)
        return "doc.yml"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "awstoe", "run", "-l", "logs", *arguments]

    def run(self, *steps: dict[str, object]) -> Ran:
        ended = subprocess.run(
            self.command("-d", self.document(*steps)),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert ended.stdout, ended.stderr
        summary = json.loads(ended.stdout)
        return Ran(ended.returncode, summary, ended.stderr, Path(summary["logUrl"]))


def outputs(ran: Ran) -> list[Any]:
    """Return the outputs of the steps, from the records."""
    record = json.loads((ran.folder / "detailedoutput.json").read_text(encoding="utf-8"))
    steps = record["documents"][0]["phases"][0]["steps"]
    return [json.loads(step["outputs"]) for step in steps]


@pytest.fixture
def windows(tmp_path: Path) -> Windows:
    return Windows(tmp_path)


@pytest.fixture
def powershell(windows: Windows) -> Path:
    """Put a recording fake first in PATH, and return the file with its calls."""
    place = windows.folder / "bin"
    place.mkdir()
    (place / "fake.py").write_text(FAKE_POWERSHELL)
    (place / "powershell.exe.bat").write_text(f'@"{sys.executable}" "%~dp0fake.py" %*\n')
    windows.environment["PATH"] = f"{place};{os.environ['PATH']}"
    windows.environment["CALLS"] = str(windows.folder / "calls")
    return windows.folder / "calls"


def calls(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def step(action: str, inputs: object, **more: object) -> dict[str, object]:
    return {"action": action, "inputs": inputs, **more}


def test_files_are_made_read_copied_moved_listed_and_deleted(windows: Windows) -> None:
    there = str(windows.folder / "work")
    ran = windows.run(
        step("CreateFolder", [{"path": f"{there}\\sub"}]),
        step("CreateFile", [{"path": f"{there}\\sub\\a.TXT", "content": "grün\n"}]),
        step("AppendFile", [{"path": f"{there}/sub/a.txt", "content": "more"}]),
        step("ReadFile", [{"path": f"{there}\\SUB\\A.txt"}]),
        step("CopyFile", [{"source": f"{there}\\sub\\*.txt", "destination": f"{there}\\to\\"}]),
        step("MoveFile", [{"source": f"{there}\\to\\a.txt", "destination": f"{there}\\b.txt"}]),
        step("CopyFolder", [{"source": f"{there}\\sub", "destination": f"{there}\\twin"}]),
        step("MoveFolder", [{"source": f"{there}\\twin", "destination": f"{there}\\moved"}]),
        step("SetFileEncoding", [{"path": f"{there}\\b.txt", "encoding": "utf16"}]),
        step("ListFiles", [{"path": there, "fileNamePattern": "*.Txt", "recursive": "true"}]),
        step("DeleteFile", [{"path": f"{there}\\sub\\*"}]),
        step("DeleteFolder", [{"path": there, "force": True}]),
    )
    assert (ran.exit_code, ran.summary["failureMessage"]) == (0, "")
    assert outputs(ran)[3] == [{"content": "grün\nmore"}]
    listed = outputs(ran)[9][0]["files"].split(",")
    assert listed == [f"{there}\\{each}" for each in (r"b.txt", r"moved\a.TXT", r"sub\a.TXT")]
    assert not (windows.folder / "work").exists()


def test_programs_run_and_conditions_read_this_machine(windows: Windows) -> None:
    ran = windows.run(
        step("ExecuteBinary", {"path": "cmd", "arguments": ["/c", "echo two words&exit 0"]}),
        step("Assert", {"binaryExists": "cmd"}),
        step("Assert", {"stringEquals": "windows", "value": "{{ context:osPlatform }}"}),
        step("ExecuteBinary", {"path": "cmd", "arguments": ["/c", "exit 5"]}),
    )
    assert ran.exit_code == 1
    assert outputs(ran)[0] == [{"stdout": "two words"}]
    assert ran.summary["failures"][0]["exitCode"] == 5


def test_state_is_removed_once_the_run_has_ended(windows: Windows) -> None:
    windows.run(step("ExecuteBinary", {"path": "cmd", "arguments": ["/c", "exit 0"]}))
    state = windows.folder / "awstoe" / "state"
    assert os.listdir(state) == []


def test_powershell_commands_become_one_script_that_is_removed(
    windows: Windows, powershell: Path
) -> None:
    ran = windows.run(step("ExecutePowerShell", {"commands": ["say grün", "warn oh\nsay two"]}))
    assert (ran.exit_code, ran.summary["failureMessage"]) == (0, "")
    assert outputs(ran) == [[{"stdout": "grün\r\ntwo"}]]
    (call,) = calls(powershell)
    assert call["options"] == [
        *("-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File")
    ]
    assert call["text"] == "\ufeffsay grün\nwarn oh\nsay two\n"
    assert call["script"].endswith(".ps1")
    assert not os.path.exists(os.path.dirname(call["script"]))


def test_powershell_file_runs_in_its_place(windows: Windows, powershell: Path) -> None:
    (windows.folder / "mine.ps1").write_text("say mine\nexit 4\n")
    ran = windows.run(step("ExecutePowerShell", {"file": "mine.ps1"}))
    assert ran.exit_code == 1
    assert calls(powershell)[0]["script"] == "mine.ps1"
    assert "mine.ps1 ended with exit code 4" in ran.summary["failures"][0]["message"]
    assert outputs(ran) == [[{"stdout": "mine"}]]


def test_missing_powershell_file_is_reported(windows: Windows, powershell: Path) -> None:
    ran = windows.run(step("ExecutePowerShell", {"file": "gone.ps1"}))
    assert "ExecutePowerShell: the file 'gone.ps1' does not exist" in ran.stderr
    assert not powershell.exists()


def test_exit_code_3010_requests_a_reboot(windows: Windows, powershell: Path) -> None:
    ran = windows.run(step("ExecutePowerShell", {"commands": ["exit 3010"]}))
    assert len(calls(powershell)) == 1
    assert ran.exit_code == 3010


REGISTRY_VALUES: dict[str, tuple[str, object, object, int]] = {
    "text": ("SZ", "text ä", "text ä", winreg.REG_SZ),
    "expanded": ("EXPAND_SZ", "%SystemRoot%\\x", "%SystemRoot%\\x", winreg.REG_EXPAND_SZ),
    "small": ("DWORD", 4294967295, 4294967295, winreg.REG_DWORD),
    "hexadecimal": ("dword", "0x10", 16, winreg.REG_DWORD),
    "large": ("QWORD", 2**64 - 1, 2**64 - 1, winreg.REG_QWORD),
    "bytes": ("BINARY", "00 ff,10", b"\x00\xff\x10", winreg.REG_BINARY),
    "list": ("MULTI_SZ", ["a", "b c"], ["a", "b c"], winreg.REG_MULTI_SZ),
    "": ("SZ", "the default", "the default", winreg.REG_SZ),
}


def test_registry_values_are_kept_with_their_type(windows: Windows) -> None:
    key = rf"Software\awstoe-test\{time.monotonic_ns()}\below"
    inputs = [
        {"path": rf"HKCU:\{key}", "name": name, "type": kind, "value": value}
        for name, (kind, value, _, _) in REGISTRY_VALUES.items()
    ]
    ran = windows.run(step("SetRegistry", inputs), step("SetRegistry", inputs))
    assert (ran.exit_code, ran.summary["failureMessage"]) == (0, "")
    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
        for name, (_, _, stored, number) in REGISTRY_VALUES.items():
            assert winreg.QueryValueEx(opened, name) == (stored, number)


def test_registry_value_that_does_not_fit_its_type_is_an_error(windows: Windows) -> None:
    inputs = {"path": r"HKCU:\Software\awstoe-test", "name": "x", "type": "DWORD"}
    ran = windows.run(step("SetRegistry", [{**inputs, "value": "1.1"}]))
    assert ran.exit_code == 1
    assert "expected an integer from 0 to" in ran.stderr


LONG = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"


def test_killed_run_is_resumed_and_finished_steps_do_not_run_again(windows: Windows) -> None:
    once = "open('once', 'a').write('x')"
    steps = [
        step("ExecuteBinary", {"path": sys.executable, "arguments": ["-c", once]}),
        step("ExecuteBinary", {"path": sys.executable, "arguments": ["-c", LONG]}),
    ]
    document = windows.document(*steps)
    pid = windows.folder / "pid"
    with subprocess.Popen(
        windows.command("-d", document), cwd=windows.folder, env=windows.environment
    ) as running:
        wait_until(lambda: pid.exists() and pid.read_text() != "", seconds=60)
        running.kill()
    child = int(pid.read_text())
    wait_until(lambda: children.identity(child) is None)
    pid.unlink()
    resumed = subprocess.Popen(
        windows.command("-d", document, "--resume"),
        cwd=windows.folder,
        env=windows.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: pid.exists() and pid.read_text() != "", seconds=60)
    assert (windows.folder / "once").read_text() == "x"
    resumed.kill()
    resumed.communicate()


def test_unread_result_is_not_a_failure(windows: Windows) -> None:
    document = windows.document(step("Assert", {"binaryExists": "cmd"}))
    with subprocess.Popen(
        windows.command("-d", document),
        cwd=windows.folder,
        env=windows.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        stderr = running.stderr.read()
    assert (running.returncode, b"error" in stderr) == (0, False), stderr


BREEDING = """
import subprocess, sys, time
while True:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open(f"pid-{child.pid}", "w").close()
    time.sleep(0.3)
"""


def test_step_that_keeps_starting_programs_is_ended_with_all_of_them(windows: Windows) -> None:
    inputs = {"path": sys.executable, "arguments": ["-c", BREEDING]}
    ran = windows.run(step("ExecuteBinary", inputs, timeoutSeconds=4))
    assert ran.exit_code == 1
    assert "the step timed out after 4 seconds" in ran.stderr
    pids = [int(path.name.partition("-")[2]) for path in windows.folder.glob("pid-*")]
    assert pids
    assert not [pid for pid in pids if children.identity(pid)]
