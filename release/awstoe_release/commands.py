"""Runs other programs; the only module of the release that does. Argument lists, no shell."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from awstoe_release.failure import ReleaseFailure


def run(
    command: Sequence[str],
    *,
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
    hint: str | None = None,
) -> str:
    """Run a program and return its standard output.

    Args:
        command: The program and its arguments.
        folder: Where it runs; the current folder if None.
        environment: Its whole environment; ours if None.
        seconds: The time limit.
        hint: What to do if it fails.

    Raises:
        ReleaseFailure: It cannot be started, takes too long, or fails.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            list(command),
            cwd=folder,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except OSError as error:
        raise ReleaseFailure(
            f"{command[0]} cannot be started: {error.strerror}", hint=hint
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ReleaseFailure(
            f"'{' '.join(command)}' did not end within {seconds:.0f} s", hint=hint
        ) from error
    if ended.returncode:
        output = (ended.stderr.strip() or ended.stdout.strip())[-2000:]
        raise ReleaseFailure(
            f"'{' '.join(command)}' failed with exit code {ended.returncode}: {output}", hint=hint
        )
    return ended.stdout


def run_in_terminal(command: Sequence[str], *, folder: str, variables: Mapping[str, str]) -> None:
    """Run a program that writes to the terminal, with additional environment variables.

    Raises:
        ReleaseFailure: It cannot be started, or it fails.
    """
    try:
        code = subprocess.run(  # noqa: S603
            list(command),
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
    except OSError as error:
        raise ReleaseFailure(f"{command[0]} cannot be started: {error.strerror}") from error
    if code:
        raise ReleaseFailure(
            f"'{' '.join(command)}' failed with exit code {code}; see its output above"
        )


def is_installed(program: str) -> bool:
    """Whether a program can be found."""
    return shutil.which(program) is not None


def start_server(command: Sequence[str], *, environment: Mapping[str, str]) -> "Server":
    """Start a program that serves until its standard input is closed.

    Raises:
        ReleaseFailure: It cannot be started, or ends before it writes its first line.
    """
    try:
        child = subprocess.Popen(  # noqa: S603
            list(command),
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        raise ReleaseFailure(f"{command[0]} cannot be started: {error.strerror}") from error
    if child.stdout is None:
        raise ReleaseFailure(f"{command[0]} has no output")
    line = child.stdout.readline()
    server = Server(child, line)
    if not line:
        server.close()
        raise ReleaseFailure(f"'{' '.join(command)}' ended at once; see its output above")
    return server


class Server:
    """A program that serves until it is closed.

    Attributes:
        line: The first line that it wrote.
    """

    def __init__(self, child: "subprocess.Popen[str]", line: str) -> None:
        self._child = child
        self.line = line

    def close(self) -> None:
        """End the program and wait for it."""
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()
        self._child.wait(timeout=30)
