"""Runs real programs for tests and checks what happened to them."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import Popen

from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption

Driver = Callable[..., Popen[str]]
"""Runs a program text in another interpreter, optionally through another program."""


class Runner:
    """Runs programs and records their output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.late = bytearray()
        self.pid = 0

    def argv(
        self,
        *argv: str,
        seconds: float | None = 30,
        environment: Mapping[str, str] | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
        interruption: Interruption | None = None,
    ) -> children.ProcessEnd:
        return children.run(
            argv,
            environment=child_environment() if environment is None else environment,
            on_stdout=on_stdout or self.stdout.extend,
            on_stderr=self.stderr.extend,
            deadline=None if seconds is None else time.monotonic() + seconds,
            interruption=interruption or Interruption(),
            on_start=self._started,
            on_late=self.late.extend,
        )

    def bash(
        self,
        script: str,
        *,
        seconds: float | None = 30,
        environment: Mapping[str, str] | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> children.ProcessEnd:
        return self.argv(
            "bash",
            "-c",
            script,
            str(self.folder),
            seconds=seconds,
            environment=environment,
            on_stdout=on_stdout,
        )

    def pids(self) -> list[int]:
        """Return the process IDs that the script wrote to the file ``pids``."""
        return [int(word) for word in (self.folder / "pids").read_text().split()]

    def _started(self, pid: int) -> None:
        self.pid = pid


def running(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_until(holds: Callable[[], bool], seconds: float = 240) -> None:
    over = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < over, f"still waiting after {seconds} seconds"
        time.sleep(0.01)
