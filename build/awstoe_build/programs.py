"""Starts programs, the only module of the build that does.

A program's output goes to a log file; when it fails, the end of that file is shown. Everything runs
at low priority, as a build takes minutes and the machine has other work.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from awstoe_build.failure import BuildFailure

_NICENESS: Final = 15
_LINES_SHOWN: Final = 25


def clean_environment(path: Sequence[str] = ()) -> dict[str, str]:
    """An environment for a program of the build: nothing of the caller's that changes the result.

    Args:
        path: Folders to search for programs before the system's.
    """
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**kept, "PATH": os.pathsep.join([*path, system]), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def network_environment() -> dict[str, str]:
    """An environment for a program that downloads: the caller's, with proxies and registries."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def run(
    command: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    log: str,
    hint: str = "",
) -> None:
    """Run a program to its end.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: All of its environment.
        log: The file that its output is appended to.
        hint: What to do if it fails.

    Raises:
        BuildFailure: It cannot be started, or it failed.
    """
    with open(log, "a", encoding="utf-8") as stream:
        stream.write(f"$ cd {folder} && {' '.join(command)}\n")
        stream.flush()
        try:
            ended = subprocess.run(
                ["nice", "-n", str(_NICENESS), *command],  # noqa: S607 - found on PATH
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise BuildFailure(f"{command[0]} cannot be started: {error.strerror}") from error
    if ended.returncode:
        # nice reports a program that is not there by this code.
        raise BuildFailure(
            f"{os.path.basename(command[0])} failed with exit code {ended.returncode};"
            f" the end of {log}:\n{tail(log)}",
            hint=hint,
        )


def output_of(command: Sequence[str], *, environment: Mapping[str, str]) -> str:
    """What a program writes to standard output.

    Raises:
        BuildFailure: It cannot be started, or it failed.
    """
    try:
        ended = subprocess.run(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BuildFailure(f"{command[0]} cannot be started: {error.strerror}") from error
    if ended.returncode:
        raise BuildFailure(
            f"'{' '.join(command)}' failed with exit code {ended.returncode}: "
            + ended.stderr.strip()[-2000:]
        )
    return ended.stdout


def is_there(program: str) -> bool:
    """Whether a program can be found."""
    return shutil.which(program, path=clean_environment()["PATH"]) is not None


def tail(path: str) -> str:
    """The last lines of a log file, indented."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        lines = stream.read().splitlines()[-_LINES_SHOWN:]
    return "\n".join("    " + line for line in lines)
