"""Reboots on Windows, with batch files that record calls in place of schtasks and shutdown."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

assert sys.platform == "win32"

STUB = '@echo %~n0 %*>> "%~dp0calls"\r\n{more}@exit /b {code}\r\n'
COPY = '@if not "%6"=="" copy /y %6 "%~dp0task.xml" > nul\r\n'


class Ran(NamedTuple):
    exit_code: int
    summary: dict[str, Any]
    stderr: str


class Windows:
    """A folder in which awstoe runs, with recording programs first in PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stubs = folder / "stubs"
        self.stubs.mkdir()
        self.stub("schtasks.exe.bat", more=COPY)
        self.stub("shutdown.exe.bat")
        self.environment = {
            **os.environ,
            "LOCALAPPDATA": str(folder),
            "PROGRAMDATA": str(folder),
            "PATH": f"{self.stubs};{os.environ['PATH']}",
        }

    def stub(self, name: str, *, code: int = 0, more: str = "") -> None:
        (self.stubs / name).write_text(STUB.format(code=code, more=more), newline="")

    def calls(self) -> list[str]:
        path = self.stubs / "calls"
        return path.read_text().replace('"', "").splitlines() if path.exists() else []

    def run(self, *arguments: str, **environment: str) -> Ran:
        ended = subprocess.run(
            [sys.executable, "-m", "awstoe", "run", "-d", "doc.json", "-l", "logs", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert ended.stdout, ended.stderr
        return Ran(ended.returncode, json.loads(ended.stdout), ended.stderr)

    def starts(self, command_line: str) -> None:
        """Run a task's command line as Windows does after the reboot; it must succeed."""
        ended = subprocess.run(
            command_line,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def windows(tmp_path: Path) -> Windows:
    steps = [
        {"name": "restart", "action": "Reboot"},
        {"name": "last", "action": "CreateFile", "inputs": [{"path": "last", "content": "x"}]},
    ]
    document = {"schemaVersion": "1.0", "phases": [{"name": "build", "steps": steps}]}
    (tmp_path / "doc.json").write_text(json.dumps(document))
    return Windows(tmp_path)


def test_under_an_agent_the_run_exits_with_3010_and_resumes(windows: Windows) -> None:
    first = windows.run(AWSTOE_REBOOT="exit")
    assert (first.exit_code, first.summary["status"]) == (3010, "running")
    assert not (windows.folder / "last").exists()
    second = windows.run(AWSTOE_REBOOT="exit")
    assert (second.exit_code, second.summary["status"]) == (0, "success")
    assert second.summary["executionId"] == first.summary["executionId"]
    assert (windows.folder / "last").exists()
    assert windows.calls() == []


def test_without_an_agent_a_task_resumes_after_the_reboot(windows: Windows) -> None:
    first = windows.run()
    assert first.exit_code == 3010, first.stderr
    execution_id = first.summary["executionId"]
    task, shutdown = windows.calls()
    assert task.startswith(f"schtasks.exe /create /f /tn awstoe-{execution_id} /xml ")
    assert shutdown == "shutdown.exe /r /f /t 0 /d p:4:2"
    root = ET.fromstring((windows.stubs / "task.xml").read_bytes())
    names = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
    assert names["Command"] == sys.executable
    assert names["WorkingDirectory"] == str(windows.folder)
    arguments = names["Arguments"]
    assert arguments.endswith(f" --resume --execution-id {execution_id}")
    windows.starts(f'"{names["Command"]}" {arguments}')
    assert (windows.folder / "last").exists()
    assert [call.split()[1] for call in windows.calls()[2:]] == ["/query", "/delete"]


def test_no_argument_changes_on_its_way_through_the_task(windows: Windows) -> None:
    text = '%PATH% "%TEMP%" 100% 5%% it\'s\t<&> é \\" end\\'
    content = json.loads((windows.folder / "doc.json").read_text())
    content["parameters"] = [{"Text": {"type": "string"}}]
    content["phases"][0]["steps"][1]["inputs"][0]["content"] = "{{ Text }}"
    (windows.folder / "doc.json").write_text(json.dumps(content))
    first = windows.run("--parameters", f"Text={text}")
    assert first.exit_code == 3010, first.stderr
    root = ET.fromstring((windows.stubs / "task.xml").read_bytes())
    names = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
    windows.starts(f'"{names["Command"]}" {os.path.expandvars(names["Arguments"])}')
    assert (windows.folder / "last").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("code", [1115, 1190])
def test_machine_that_is_already_going_down_counts_as_rebooting(
    windows: Windows, code: int
) -> None:
    """1190: a later shutdown, which is canceled; on a second try, another one may win: 1115."""
    once = f'@if not exist "%~dp0asked" (echo.> "%~dp0asked" & exit /b {code})\r\n'
    windows.stub("shutdown.exe.bat", code=1115, more=once)
    ran = windows.run()
    assert (ran.exit_code, ran.summary["status"]) == (3010, "running"), ran.stderr
    options = [call.split()[1] for call in windows.calls() if call.startswith("shutdown")]
    assert options == (["/r"] if code == 1115 else ["/r", "/a", "/r"])
    assert ("a scheduled shutdown of the machine was canceled" in ran.stderr) == (code == 1190)


def test_a_rejected_task_stops_the_run_before_the_reboot(windows: Windows) -> None:
    windows.stub("schtasks.exe.bat", code=1)
    ran = windows.run()
    assert ran.exit_code == 1
    assert "ended with exit code 1" in ran.summary["failureMessage"]
    assert len(windows.calls()) == 1
