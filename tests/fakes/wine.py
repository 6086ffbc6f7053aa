"""A Windows machine for tests: Wine, with a prefix of its own and Python from python.org.

The interpreter is the one of the built file: ``make toolchain TARGET=windows/amd64`` builds it.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from awstoe_build import prerequisites, targets
from awstoe_build.__main__ import cache_folder
from awstoe_build.toolchain.layers import Cache
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_build.toolchain.windows import wine

HERE: Final = Path(__file__).parent
_READY_SECONDS: Final = 120
_TARGET: Final = targets.TARGETS["windows/amd64"]


class Ended(NamedTuple):
    """How a program ended."""

    returncode: int
    """All 32 bits."""
    stdout: bytes
    stderr: bytes


def missing() -> str:
    """Return what this machine lacks to run Windows programs; empty if nothing."""
    if packages := prerequisites.missing_packages([_TARGET], building=False):
        return f"Wine is not fully installed (packages {', '.join(sorted(packages))})"
    if Cache(cache_folder(), print).missing([windows_runtime.recipe(_TARGET)]):
        return "the interpreter is not built: run make toolchain TARGET=windows/amd64"
    return ""


class Machine:
    """A running Windows machine.

    Args:
        folder: The folder of its prefix and its working files.
        environment: The environment for starting Wine's programs.
        python: The Linux path of the interpreter.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], python: str) -> None:
        self.folder = folder
        self.environment = environment
        self.python = python
        self._jobs = 0

    @property
    def drive_c(self) -> Path:
        """Its drive C."""
        return self.folder / "prefix" / "drive_c"

    def start(self, *arguments: str, **streams: int) -> subprocess.Popen[bytes]:
        """Start a program; streams are the null device by default.

        Streams must not be regular files. The exit code is cut to 8 bits.
        """
        null = subprocess.DEVNULL
        return subprocess.Popen(
            ["wine", *arguments],
            env=self.environment,
            cwd=self.folder,
            stdin=streams.get("stdin", null),
            stdout=streams.get("stdout", null),
            stderr=streams.get("stderr", null),
        )

    def run(
        self,
        *command: str,
        folder: Path | None = None,
        environment: Mapping[str, str | None] | None = None,
        stdin: bytes = b"",
        seconds: float = 120,
    ) -> Ended:
        """Run a program to its end.

        Args:
            command: The program and its arguments, with Windows paths.
            folder: Its working directory.
            environment: Variables to change; None removes one.
            stdin: Its standard input.
            seconds: Its time limit.
        """
        self._jobs += 1
        job = self.folder / f"job-{os.getpid()}-{self._jobs}.json"
        result = job.with_suffix(".result")
        facts = {
            "command": list(command),
            "folder": path(folder or self.folder),
            "environment": dict(environment or {}),
            "result": path(result),
        }
        job.write_text(json.dumps(facts), encoding="utf-8")
        ended = subprocess.run(
            ["wine", self.python, path(HERE / "wine_relay.py"), path(job)],
            env=self.environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return Ended(int(result.read_text(encoding="utf-8")), ended.stdout, ended.stderr)


def path(name: str | Path) -> str:
    """Return the Windows path of a file of this machine."""
    return wine.path(str(name))


@contextmanager
def machine(folder: Path, packages: Sequence[str] = ()) -> Iterator[Machine]:
    """Run a Windows machine in ``folder`` while the context lasts.

    Args:
        folder: Its folder, created if it does not exist.
        packages: More folders in which its interpreter finds modules.
    """
    cache = Cache(cache_folder(), print)
    runtime = cache.obtain(windows_runtime.recipe(_TARGET))
    lacking = Path(windows_runtime.wine_libraries(runtime))
    prefix = folder / "prefix"
    ready = folder / "ready"
    folder.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)
    libraries = [str(each) for each in sorted(lacking.iterdir())]
    with wine.machine(str(prefix), libraries) as started:
        environment = {
            **started,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
            "PYTHONPATH": ";".join(path(each) for each in packages),
        }
        running = Machine(folder, environment, windows_runtime.program(runtime))
        holding = running.start(running.python, path(HERE / "wine_hold.py"), path(ready))
        try:
            _await(ready, holding)
            yield running
        finally:
            holding.kill()
            holding.wait()


def _await(ready: Path, holding: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not ready.exists():
        assert holding.poll() is None, "the Wine machine did not start"
        assert time.monotonic() < deadline, "the Wine machine did not start in time"
        time.sleep(0.05)
