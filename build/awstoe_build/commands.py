"""Runs external commands. No other module of the build starts a process.

A command's output goes to a log file; if the command fails, the error quotes the end of that file.
Commands run at low priority, because a build takes minutes and the machine has other work.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Final, cast

from awstoe_build import build_machine
from awstoe_build.failure import BuildFailure

_TAIL_LINES: Final = 25


def clean_environment(path: Sequence[str] = ()) -> dict[str, str]:
    """Return an environment without any variable of the caller that could change the result.

    Args:
        path: Folders to search for programs before the system's.
    """
    kept = {name: os.environ[name] for name in build_machine.KEPT_VARIABLES if name in os.environ}
    searched = os.pathsep.join([*path, build_machine.system_path()])
    return {**kept, "PATH": searched, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def network_environment() -> dict[str, str]:
    """Return an environment for downloads: the caller's, with its proxies and registries."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def run(
    command: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    log: str,
    hint: str = "",
) -> None:
    """Run a command and wait for it to finish.

    Args:
        command: The program and its arguments.
        folder: The working folder.
        environment: The complete environment.
        log: The file that the output is appended to.
        hint: The hint of the error if the command fails.

    Raises:
        BuildFailure: The program cannot be started, or it failed.
    """
    with open(log, "a", encoding="utf-8") as stream:
        stream.write(f"$ cd {folder} && {' '.join(command)}\n")
        stream.flush()
        try:
            # Through a pipe, because programs under Wine cannot write to a regular file.
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
            raise BuildFailure(f"cannot start {command[0]}: {error.strerror}") from error
        with process:
            shutil.copyfileobj(cast(IO[bytes], process.stdout), stream.buffer)
    if process.returncode:
        raise BuildFailure(
            f"{os.path.basename(command[0])} failed with exit code {process.returncode};"
            f" the end of {log}:\n{tail(log)}",
            hint=hint,
        )


def output_of(command: Sequence[str], *, environment: Mapping[str, str]) -> str:
    """Run a command and return what it writes to standard output.

    Raises:
        BuildFailure: The program cannot be started, or it failed.
    """
    try:
        completed = subprocess.run(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BuildFailure(f"cannot start {command[0]}: {error.strerror}") from error
    if completed.returncode:
        raise BuildFailure(
            f"'{' '.join(command)}' failed with exit code {completed.returncode}: "
            + completed.stderr.strip()[-2000:]
        )
    return completed.stdout


def is_installed(program: str) -> bool:
    """Whether a program is on the search path of the build's commands."""
    return shutil.which(program, path=clean_environment()["PATH"]) is not None


def tail(path: str) -> str:
    """Return the last lines of a log file, indented."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        lines = stream.read().splitlines()[-_TAIL_LINES:]
    return "\n".join("    " + line for line in lines)
