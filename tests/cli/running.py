"""Runs the real program as a user would, and reads its results."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from subject import chosen

SUMMARY_KEYS = [
    "executionId",
    "status",
    "failedStepCount",
    "executedStepCount",
    "ignoredFailedStepCount",
    "failureMessage",
    "logUrl",
    "failures",
]

PATIENCE_SECONDS = 240
"""How long a test waits for what a quiet machine does in seconds. It waits for the event, so that
only a defect takes this long; a busy machine must not."""

Json = Any

_ANOTHER_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
# The same user by another name: for an interpreter in a folder that only root can read.
_ANOTHER_NAME = ("unshare", "--user", "--map-user=65534", "--map-group=65534")


class Ended(NamedTuple):
    """A finished run."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Json]:
        """The one JSON object on standard output."""
        assert self.stdout, f"nothing on standard output; standard error:\n{self.stderr}"
        data: dict[str, Json] = json.loads(self.stdout)
        assert list(data) == SUMMARY_KEYS
        assert self.stdout == json.dumps(data, ensure_ascii=False, indent=4) + "\n"
        assert "Traceback" not in self.stderr
        return data

    @property
    def counts(self) -> tuple[str, int, int, int]:
        """Status, then the executed, failed and ignored steps."""
        data = self.summary
        return (
            data["status"],
            data["executedStepCount"],
            data["failedStepCount"],
            data["ignoredFailedStepCount"],
        )

    @property
    def logs(self) -> Path:
        return Path(self.summary["logUrl"])

    @property
    def console(self) -> str:
        return (self.logs / "console.log").read_text()

    @property
    def application(self) -> str:
        return (self.logs / "application.log").read_text()

    @property
    def messages(self) -> list[str]:
        """The messages of console.log, without timestamps."""
        return [line.partition(" ")[2] for line in self.console.splitlines()]

    @property
    def records(self) -> dict[str, Json]:
        """The content of detailedoutput.json."""
        data: dict[str, Json] = json.loads((self.logs / "detailedoutput.json").read_text())
        return data

    @property
    def chaining(self) -> list[Json]:
        data: list[Json] = json.loads((self.logs / "chaining.json").read_text())
        return data

    @property
    def steps(self) -> dict[str, dict[str, Json]]:
        """The records of all steps that have started, by name."""
        return {
            step["name"]: step
            for document in self.records["documents"]
            for phase in document["phases"]
            for step in phase["steps"]
        }

    @property
    def statuses(self) -> dict[str, str]:
        return {name: step["status"] for name, step in self.steps.items()}

    def outputs(self, step: str) -> Json:
        return json.loads(self.steps[step]["outputs"])

    def printed(self, step: str) -> Json:
        """The ``stdout`` output value of a step."""
        return self.outputs(step)[0]["stdout"]

    def inputs(self, step: str) -> Json:
        return json.loads(self.steps[step]["inputs"])


Step = dict[str, Json]


def bash(name: str, script: str, **keys: Json) -> Step:
    """Return a step that runs ``script``."""
    return {"name": name, "action": "ExecuteBash", "inputs": {"commands": [script]}, **keys}


def action(name: str, module: str, inputs: Json, **keys: Json) -> Step:
    return {"name": name, "action": module, "inputs": inputs, **keys}


def phases(**named: list[Step]) -> list[Json]:
    return [{"name": name, "steps": steps} for name, steps in named.items()]


class Started:
    """A run in the background of the test."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self.child = child

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def end(self, seconds: float = PATIENCE_SECONDS) -> Ended:
        stdout, stderr = self.child.communicate(timeout=max(seconds, 60 * chosen().patience))
        return Ended(self.child.returncode, stdout, stderr)


class Toe:
    """The program with a folder, an environment and a state of its own.

    Attributes:
        folder: The working directory.
        program: The command that starts it; the subject of the test session unless replaced.
        state: The folder of ``--state-directory``.
        environment: The environment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program: tuple[str, ...] = chosen().argv
        self.state = folder / "state"
        self.environment: dict[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "xdg"),
            "LC_ALL": "C.UTF-8",
            "AWSTOE_REBOOT": "exit",  # no test reboots the machine
        }
        self.started: list[subprocess.Popen[str]] = []
        self._user: tuple[str, ...] = ()

    def become_nobody(self) -> None:
        """Run without privileges from now on; for tests that run as root."""
        for folder in self.folder.parents:
            if folder.name.startswith(("pytest-", "popen-")):
                folder.chmod(folder.stat().st_mode | 0o011)
        for before in (_ANOTHER_USER, _ANOTHER_NAME):
            # Through `env`: setpriv itself can start a program that the user cannot read.
            check = [*before, "env", *self.program, "validate", "--help"]
            try:
                if subprocess.run(check, capture_output=True, check=False).returncode == 0:
                    self._user = before
                    break
            except OSError:
                continue
        else:
            pytest.skip("the tests run as root and cannot become another user")
        if self._user == _ANOTHER_USER:
            os.chown(self.folder, 65534, 65534)
            for path in self.folder.rglob("*"):
                os.chown(path, 65534, 65534, follow_symlinks=False)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def document(self, *steps: Step, name: str = "doc.yml", **keys: Json) -> str:
        """Write a document of ``steps``, or of ``phases`` if given, and return its name."""
        content = {"schemaVersion": "1.0", "phases": phases(build=list(steps)), **keys}
        self.write(name, json.dumps(content))
        return name

    def argv(
        self, *arguments: str, state: bool = True, globals_: tuple[str, ...] = ()
    ) -> list[str]:
        where = ["--state-directory", str(self.state)] if state else []
        return [*self.program, *globals_, "run", *arguments, *where]

    def run(
        self,
        *arguments: str,
        state: bool = True,
        environment: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
        globals_: tuple[str, ...] = (),
        passed: tuple[int, ...] = (),
        seconds: float = PATIENCE_SECONDS,
        prepare: Callable[[], None] | None = None,
    ) -> Ended:
        """Run ``awstoe run`` with ``arguments`` to its end.

        Args:
            arguments: The arguments after ``run``.
            state: Whether to add ``--state-directory``.
            environment: Additional variables.
            before: A program that runs it.
            globals_: Options before ``run``.
            passed: Descriptors that the program inherits.
            seconds: How long to wait for the program.
            prepare: Called in the child before it starts.
        """
        return self.call(
            [*before, *self.argv(*arguments, state=state, globals_=globals_)],
            environment=environment,
            passed=passed,
            seconds=seconds,
            prepare=prepare,
        )

    def call(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        passed: tuple[int, ...] = (),
        seconds: float = PATIENCE_SECONDS,
        prepare: Callable[[], None] | None = None,
        stdin: str | None = None,
    ) -> Ended:
        """Run any command instead of the program, in the same way as ``run``."""
        ended = subprocess.run(
            [*self._user, *command],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL if stdin is None else None,
            input=None if stdin is None else stdin.encode(),
            capture_output=True,
            timeout=max(seconds, 60 * chosen().patience),
            check=False,
            pass_fds=passed,
            preexec_fn=prepare,  # the limits of a child; the test has no threads
        )
        return Ended(
            ended.returncode,
            ended.stdout.decode(),
            ended.stderr.decode(errors="backslashreplace"),
        )

    def steps(self, *steps: Step, **keys: Json) -> Ended:
        """Run a document of ``steps``."""
        return self.run("-d", self.document(*steps, **keys))

    def start(self, *arguments: str, state: bool = True, before: tuple[str, ...] = ()) -> Started:
        return self.begin([*before, *self.argv(*arguments, state=state)])

    def begin(self, command: Sequence[str]) -> Started:
        """Start any command instead of the program."""
        child = subprocess.Popen(
            [*self._user, *command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(child)
        return Started(child)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def pids(self) -> list[int]:
        """Return the process IDs that steps wrote to the file ``pids``."""
        path = self.folder / "pids"
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def log_folders(self) -> list[Path]:
        return sorted(self.folder.rglob("TOE_*"))

    def nothing_left(self) -> bool:
        """Whether there is no log folder and no state."""
        states = [*self.folder.rglob("run.json"), *self.folder.rglob("journal.jsonl")]
        return not self.log_folders() and not states and not [*self.folder.rglob("lock")]

    def clean_up(self) -> None:
        for child in self.started:
            if child.poll() is None:
                child.kill()
            child.wait()
            for pipe in (child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()
        for pid in self.pids():
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for an event.

    Raises:
        AssertionError: The event has not happened within the time.
    """
    over = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < over, f"still waiting after {seconds} seconds"
        time.sleep(0.01)
