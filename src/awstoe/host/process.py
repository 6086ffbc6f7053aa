"""The only door to child processes: starts a program, hands on its output, ends its process tree.

A child gets no standard input, the environment it is given, our working folder, a session of its
own and nothing else that is open here. Whoever calls ``run`` decides what the output is for; this
module sees to it that a step that timed out, was interrupted or failed leaves no process behind,
and that what a successful step left in the background is not touched.

Everything that depends on the system is in ``process_linux`` and its neighbours: another system
needs modules with the same functions (Windows: job objects).
"""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, NoReturn, TypeAlias

from awstoe.errors import HostError, Interrupted, TimeoutExceeded
from awstoe.host.interruption import Interruption

if sys.platform == "linux":
    from awstoe.host import process_end_linux as ending
    from awstoe.host import process_linux as system
    from awstoe.host import process_tree_linux as tree
    from awstoe.host.pipes_linux import Drain, Sink, discard, open_pipe

    Identity: TypeAlias = tree.Identity
    """What names a process for ever, for the journal: ``pid``, ``start_time``, ``boot_id``."""

_NAMED: Final = 10
"""Processes named in a message."""

_FIRST_LINE_BYTES: Final = 256
"""As much of a script's first line as the kernel looks at."""


class ProcessEnd(NamedTuple):
    """How a program ended."""

    exit_code: int
    """128 + N when signal N ended it."""
    held_open: bool
    """Whether something it left in the background keeps its output open."""
    left: tuple[str, ...] = ()
    """Processes of a failed program that could not be ended, as ``<id> (<name>)``."""


class _Session:
    """What lasts longer than one child: the process's own preparation, and held-open pipes."""

    __slots__ = ("drain", "prepared")

    def __init__(self) -> None:
        self.prepared = False
        self.drain: Drain | None = None


_session: Final = _Session()


def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    on_stdout: "Sink",
    on_stderr: "Sink",
    deadline: float | None,
    interruption: Interruption,
    on_start: Callable[[int], None] | None = None,
    on_late: "Sink | None" = None,
) -> ProcessEnd:
    """Run a program to its end.

    Args:
        argv: The program and its arguments; a program without a slash is looked for in PATH.
        environment: The child's whole environment (``environment.child_environment``).
        on_stdout: Gets standard output in pieces as they come, never empty.
        on_stderr: The same for standard error.
        deadline: The ``time.monotonic`` at which its time is over; None: never.
        interruption: Says when to stop; a second Ctrl-C cuts the grace period.
        on_start: Called with the process id, before anything is read.
        on_late: Gets what a background process writes after this function has returned with
            ``held_open``, in another thread, until ``drain_end``.

    Raises:
        HostError: The program cannot be started: it is missing, or no program for this machine.
        TimeoutExceeded: The deadline has passed; the process tree has been ended.
        Interrupted: A signal asks to stop; the process tree has been ended.
    """
    if sys.platform != "linux":
        raise HostError(
            f"Cannot start {argv[0]}: this version of awstoe starts programs on Linux only.",
            hint="Use a newer version.",
        )
    interruption.check()
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutExceeded(f"The time was over before {argv[0]} was started.")
    if not _session.prepared:
        system.prepare()
        _session.prepared = True
    since = tree.now()
    child, stdout, stderr = _start(argv, environment)
    attendance = system.Attendance(
        child, since, {stdout: on_stdout, stderr: on_stderr}, deadline, interruption
    )
    try:
        if on_start is not None:
            on_start(child.pid)
        return _attend(attendance, argv[0], interruption, on_late or discard)
    except (TimeoutExceeded, Interrupted):
        raise
    except BaseException:
        if attendance.exit_code == 0:
            attendance.finish()
        else:
            attendance.mute()
            attendance.end_tree()
        raise
    finally:
        attendance.close()


def _attend(
    attendance: "system.Attendance", name: str, interruption: Interruption, on_late: "Sink"
) -> ProcessEnd:
    ended = attendance.wait()
    if ended is system.Ended.TIMEOUT:
        left = _names(attendance.end_tree())
        raise TimeoutExceeded(
            f"{name} was still running when the time for this attempt was over; {_ending(left)}.",
            hint="Give the step a longer timeoutSeconds, or -1 for no limit.",
        )
    if ended is system.Ended.SIGNAL:
        attendance.end_tree()
        interruption.check()
    if attendance.exit_code:
        left = _names(attendance.end_tree())
        return ProcessEnd(attendance.exit_code, held_open=False, left=left)
    attendance.finish()
    if ended is not system.Ended.HELD_OPEN:
        return ProcessEnd(0, held_open=False)
    pipes = attendance.take_pipes()
    if pipes:
        if _session.drain is None:
            _session.drain = Drain()
        _session.drain.take(pipes, on_late)
    return ProcessEnd(0, held_open=bool(pipes))


def drain_end() -> None:
    """Stop reading what background processes write: the run is over, and so are its logs."""
    if _session.drain is not None:
        _session.drain.end()
        _session.drain = None


def identity(pid: int) -> "Identity | None":
    """What names a running process for ever, for the journal; None when there is none."""
    return tree.identity(pid)


def recognise(pid: int, token: str) -> "Identity | None":
    """The identity that was kept as ``identity(pid).token``; None when ``token`` is none."""
    return tree.recognise(pid, token)


def orphans(leader: "Identity") -> tuple[str, ...]:
    """What still runs of a step whose awstoe died, as ``<id> (<name>)``; nothing after a reboot.

    Args:
        leader: The ``identity`` of the process that ``run`` had started for the step.
    """
    return _names(tree.orphans(leader))


def end_left_over(leader: "Identity", interruption: Interruption) -> tuple[str, ...]:
    """End what still runs of a step whose awstoe died: TERM, the grace period, KILL.

    Returns:
        What could not be ended, as ``<id> (<name>)``.
    """
    return _names(ending.end(lambda: tree.orphans(leader), time.sleep, lambda: interruption.hard))


def _names(processes: "Sequence[tree.Process]") -> tuple[str, ...]:
    return tuple(f"{process.pid} ({process.name})" for process in processes)


def _ending(left: Sequence[str]) -> str:
    if left:
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        return f"these of its processes could not be ended: {', '.join(left[:_NAMED])}{more}"
    return "its processes have been ended"


def _start(
    argv: Sequence[str], environment: Mapping[str, str]
) -> tuple["subprocess.Popen[bytes]", int, int]:
    """Start the program; gives it and the reading ends of its output and error pipes.

    Raises:
        HostError: It cannot be started.
    """
    descriptors: list[int] = []
    try:
        descriptors += open_pipe()
        descriptors += open_pipe()
        stdout, stdout_writer, stderr, stderr_writer = descriptors
        child = subprocess.Popen(  # noqa: S603 - running what the document says is the purpose
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout_writer,
            stderr=stderr_writer,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        for descriptor in descriptors:
            os.close(descriptor)
        _explain(argv, environment, error)
    os.close(stdout_writer)
    os.close(stderr_writer)
    return child, stdout, stderr


def _explain(
    argv: Sequence[str], environment: Mapping[str, str], error: OSError | ValueError
) -> NoReturn:
    """Say why a program could not be started.

    Raises:
        HostError: Always.
    """
    program = argv[0]
    hint: str | None = None
    if isinstance(error, ValueError):
        what = f"an argument cannot be handed to a program ({error})"
    elif isinstance(error, FileNotFoundError | NotADirectoryError):
        what, hint = _missing(program, environment)
    elif isinstance(error, PermissionError) and os.path.isdir(program):
        what, hint = "it is a folder", "Give the path of a program in it."
    elif isinstance(error, PermissionError):
        what = "it is not executable for this user"
        hint = f"Make it so (chmod +x {program}); a disk mounted with noexec runs nothing."
    elif error.errno == errno.ENOEXEC:
        what = "it is neither a program for this machine nor a script that begins with #!"
        hint = "Give a script a first line such as #!/bin/bash, or run it through its interpreter."
    elif error.errno == errno.E2BIG:
        size = sum(len(os.fsencode(argument)) + 1 for argument in argv)
        what = f"its {len(argv) - 1} arguments ({size} bytes) and the environment are too long"
        hint = "Hand over long values in a file."
    else:
        what = error.strerror or str(error)
    raise HostError(f"Cannot start {program!r}: {what}.", hint=hint) from error


def _missing(program: str, environment: Mapping[str, str]) -> tuple[str, str]:
    if os.path.basename(program) == program:
        path = environment.get("PATH", os.defpath)
        return f"there is no such program in PATH ({path})", "Install it, or give its full path."
    if os.path.exists(program):
        return _missing_interpreter(program)
    place = "" if os.path.isabs(program) else f" in {os.getcwd()}"
    return f"there is no such file{place}", "Check the path."


def _missing_interpreter(program: str) -> tuple[str, str]:
    """A file that is there and yet cannot be found: what is needed to run it is missing."""
    try:
        with open(program, "rb") as file:
            line = file.readline(_FIRST_LINE_BYTES)
    except OSError:
        line = b""
    if line.startswith(b"#!"):
        name = line[2:].strip().decode("utf-8", "backslashreplace")
        return (
            f"its first line names an interpreter that does not exist: {name}",
            "Install the interpreter, or correct the line (a Windows line end spoils it, too).",
        )
    return (
        "the loader it was linked for does not exist here",
        "Use a build of the program for this system's C library and processor.",
    )
