"""Starts programs, the only module of the build that does.

A program's output goes to a log file; when it fails, the end of that file is shown. Everything runs
at low priority, as a build takes minutes and the machine has other work.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Final, cast

from awstoe_build import build_machine
from awstoe_build.failure import BuildFailure

_LINES_SHOWN: Final = 25


def clean_environment(path: Sequence[str] = ()) -> dict[str, str]:
    """An environment for a program of the build: nothing of the caller's that changes the result.

    Args:
        path: Folders to search for programs before the system's.
    """
    kept = {name: os.environ[name] for name in build_machine.KEPT_VARIABLES if name in os.environ}
    searched = os.pathsep.join([*path, build_machine.system_path()])
    return {**kept, "PATH": searched, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


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
            # By a pipe, as Wine's programs cannot write to a regular file.
            process = subprocess.Popen(
                build_machine.at_low_priority(command),
                creationflags=build_machine.PRIORITY_FLAGS,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise BuildFailure(f"{command[0]} cannot be started: {error.strerror}") from error
        with process:
            shutil.copyfileobj(cast(IO[bytes], process.stdout), stream.buffer)
    if process.returncode:
        raise BuildFailure(
            f"{os.path.basename(command[0])} failed with exit code {process.returncode};"
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
