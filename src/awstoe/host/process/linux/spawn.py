"""Linux: starts a program with pipes for its output, and explains why one cannot be started."""

import errno
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from awstoe.errors import HostError
from awstoe.host.process import system_programs
from awstoe.host.process.linux import pipes, process_table, reaper

assert sys.platform == "linux"

_FIRST_LINE_BYTES: Final = 256
"""How much of a script's first line the kernel reads."""


class Spawned(NamedTuple):
    """A running program in a session of its own."""

    child: "subprocess.Popen[bytes]"
    since: int
    """``process_table.now()`` before its start."""
    stdout: int
    """The reading end of its output."""
    stderr: int

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self.child.pid


def spawn(argv: Sequence[str], environment: Mapping[str, str]) -> Spawned:
    """Start the program.

    Raises:
        HostError: It cannot be started.
    """
    since = process_table.now()
    descriptors: list[int] = []
    try:
        descriptors += pipes.open_pipe()
        descriptors += pipes.open_pipe()
        stdout, stdout_writer, stderr, stderr_writer = descriptors
        with reaper.starting():
            child = subprocess.Popen(  # noqa: S603 - it is the purpose to run what the document says
                _with_safe_paths(argv, environment),
                executable=_safe_path(argv[0], environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout_writer,
                stderr=stderr_writer,
                env=environment,
                start_new_session=True,
            )
            reaper.started(child.pid)
    except (OSError, ValueError) as error:
        for descriptor in descriptors:
            os.close(descriptor)
        _explain(argv, environment, error)
    os.close(stdout_writer)
    os.close(stderr_writer)
    return Spawned(child, since, stdout, stderr)


def _safe_path(program: str, environment: Mapping[str, str]) -> str:
    """Return the path of a program that awstoe itself runs, or what the document says.

    Raises:
        FileNotFoundError: There is no such program where no other user could have put it.
    """
    if program not in system_programs.NAMES:
        return program
    path = system_programs.find(program, environment)
    if path is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    return path


def _with_safe_paths(argv: Sequence[str], environment: Mapping[str, str]) -> Sequence[str]:
    """Return the arguments, in which ``env`` gets the path of the program that it is to run."""
    if argv[0] != "env":
        return argv
    return [each if "=" in each else _safe_path(each, environment) for each in argv]


def _explain(
    argv: Sequence[str], environment: Mapping[str, str], error: OSError | ValueError
) -> NoReturn:
    """Explain why a program could not be started.

    Raises:
        HostError: Always.
    """
    program = argv[0]
    hint: str | None = None
    if isinstance(error, ValueError):
        what = f"an argument cannot be passed to a program ({error})"
    elif isinstance(error, FileNotFoundError | NotADirectoryError):
        what, hint = _missing(program, environment)
    elif isinstance(error, PermissionError) and os.path.isdir(program):
        what, hint = "it is a folder", "Use the path of a program in it."
    elif isinstance(error, PermissionError):
        what = "it is not executable by this user"
        hint = f"Run chmod +x {program}, and check that its disk is not mounted with noexec."
    elif error.errno == errno.ENOEXEC:
        what = "it is neither a program for this machine nor a script that starts with #!"
        hint = "Start a script with a line such as #!/bin/bash, or run it through its interpreter."
    elif error.errno == errno.E2BIG:
        size = sum(len(os.fsencode(argument)) + 1 for argument in argv)
        what = f"its {len(argv) - 1} arguments ({size} bytes) and the environment are too long"
        hint = "Pass long values in a file."
    else:
        what = error.strerror or str(error)
    raise HostError(f"Cannot start {program!r}: {what}.", hint=hint) from error


def _missing(program: str, environment: Mapping[str, str]) -> tuple[str, str]:
    import shutil  # noqa: PLC0415 - only an error needs it

    if os.path.basename(program) == program:
        path = environment.get("PATH", os.defpath)
        if program in system_programs.NAMES and shutil.which(program, path=path):
            return (
                f"in PATH ({path}) it is only in folders that are relative or that other users may"
                " write to",
                "Remove these folders from PATH, or take the right to write from others.",
            )
        return f"there is no such program in PATH ({path})", "Install it, or use its full path."
    if os.path.exists(program):
        return _missing_interpreter(program)
    place = "" if os.path.isabs(program) else f" in {os.getcwd()}"
    return f"there is no such file{place}", "Check the path."


def _missing_interpreter(program: str) -> tuple[str, str]:
    """Explain why a file that exists was not found: what is needed to run it is missing."""
    try:
        with open(program, "rb") as file:
            line = file.readline(_FIRST_LINE_BYTES)
    except OSError:
        line = b""
    if line.startswith(b"#!"):
        name = line[2:].strip().decode("utf-8", "backslashreplace")
        return (
            f"its first line names an interpreter that does not exist: {name}",
            "Install the interpreter, or fix the line (check for a Windows line ending).",
        )
    return (
        "the loader that it was linked for does not exist on this machine",
        "Use a build of the program for this system's C library and processor.",
    )
