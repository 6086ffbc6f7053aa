"""The only door to child processes: starts a program, hands on its output, ends its process tree.

A child gets no standard input, the environment it is given, our working folder, a session of its
own and nothing else that is open here. Whoever calls ``run`` decides what the output is for; this
module sees to it that a step that timed out, was interrupted or failed leaves no process behind,
and that what a successful step left in the background is not touched.

Everything that depends on the system is in modules named for it: how a program is started
(``process_start_*``), attended (``process_*``), found again (``process_tree_*``) and ended with all
that it started (``process_end_*``), and what its pipes are (``pipes_*``).
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from awstoe.errors import Interrupted, TimeoutExceeded
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.supervisor import Ended, Sink, describe, discard

if sys.platform == "win32":
    from awstoe.host.process.windows import pipes
    from awstoe.host.process.windows import process_table as tree
    from awstoe.host.process.windows import spawn as starting
    from awstoe.host.process.windows import supervisor as system
    from awstoe.host.process.windows import terminate as ending
else:
    from awstoe.host.process.linux import pipes
    from awstoe.host.process.linux import process_table as tree
    from awstoe.host.process.linux import spawn as starting
    from awstoe.host.process.linux import supervisor as system
    from awstoe.host.process.linux import terminate as ending

Identity: TypeAlias = tree.Identity
"""What names a process for ever, for the journal."""

_NAMED: Final = 10
"""Processes named in a message."""


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
        self.drain: pipes.Drain | None = None


_session: Final = _Session()


def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    on_stdout: Sink,
    on_stderr: Sink,
    deadline: float | None,
    interruption: Interruption,
    on_start: Callable[[int], None] | None = None,
    on_late: Sink | None = None,
) -> ProcessEnd:
    """Run a program to its end.

    Args:
        argv: The program and its arguments; a program without a separator is looked for in PATH.
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
    interruption.check()
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutExceeded(f"The time was over before {argv[0]} was started.")
    if not _session.prepared:
        system.prepare()
        _session.prepared = True
    started = starting.spawn(argv, environment)
    attendance = system.ChildSupervisor(
        started, {started.stdout: on_stdout, started.stderr: on_stderr}, deadline, interruption
    )
    try:
        if on_start is not None:
            on_start(started.pid)
        return _attend(attendance, argv[0], interruption, on_late or discard)
    except (TimeoutExceeded, Interrupted):
        raise
    except BaseException:
        if attendance.exit_code == 0:
            attendance.finish()
        else:
            attendance.discard_output()
            attendance.end_tree()
        raise
    finally:
        attendance.close()


def _attend(
    attendance: system.ChildSupervisor, name: str, interruption: Interruption, on_late: Sink
) -> ProcessEnd:
    ended = attendance.wait()
    if ended is Ended.TIMEOUT:
        left = tuple(attendance.end_tree())
        raise TimeoutExceeded(
            f"{name} was still running when the time for this attempt was over; {_ending(left)}.",
            hint="Give the step a longer timeoutSeconds, or -1 for no limit.",
        )
    if ended is Ended.SIGNAL:
        attendance.end_tree()
        interruption.check()
    if attendance.exit_code:
        left = tuple(attendance.end_tree())
        return ProcessEnd(attendance.exit_code, held_open=False, left=left)
    attendance.finish()
    if ended is not Ended.HELD_OPEN:
        return ProcessEnd(0, held_open=False)
    open_pipes = attendance.take_pipes()
    if open_pipes:
        if _session.drain is None:
            _session.drain = pipes.Drain()
        _session.drain.take(open_pipes, on_late)
    return ProcessEnd(0, held_open=bool(open_pipes))


def drain_end() -> None:
    """Stop reading what background processes write: the run is over, and so are its logs."""
    if _session.drain is not None:
        _session.drain.end()
        _session.drain = None


def identity(pid: int) -> Identity | None:
    """What names a running process for ever, for the journal; None when there is none."""
    return tree.identity(pid)


def identity_from_token(pid: int, token: str) -> Identity | None:
    """The identity that was kept as ``identity(pid).token``; None when ``token`` is none."""
    return tree.identity_from_token(pid, token)


def orphans(leader: Identity) -> tuple[str, ...]:
    """What still runs of a step whose awstoe died, as ``<id> (<name>)``; nothing after a reboot.

    Args:
        leader: The ``identity`` of the process that ``run`` had started for the step.
    """
    return tuple(describe(tree.orphans(leader)))


def end_left_over(leader: Identity, interruption: Interruption) -> tuple[str, ...]:
    """End what still runs of a step whose awstoe died: TERM, the grace period, KILL.

    Returns:
        What could not be ended, as ``<id> (<name>)``.
    """
    return tuple(describe(ending.end_orphans(leader, interruption)))


def _ending(left: Sequence[str]) -> str:
    if left:
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        return f"these of its processes could not be ended: {', '.join(left[:_NAMED])}{more}"
    return "its processes have been ended"
