"""Runs child processes: starts a program, passes on its output, ends its process tree.

This is the only door to child processes. A child gets no standard input, the given environment, our
working directory, a session of its own, and no other open file of ours. The caller decides what the
output is for. After a step that timed out, was interrupted or failed, no process of it is left;
what a successful step left in the background keeps running.

The folders ``linux`` and ``windows`` hold the same modules for each system: ``spawn`` starts a
program, ``supervisor`` watches it, ``process_table`` finds its descendants, ``terminate`` ends
them, and ``pipes`` carries the output.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, TypeAlias

from awstoe.errors import Interrupted, TimeoutExceeded
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.supervisor import Ended, Sink, describe, discard

if sys.platform == "win32":
    from awstoe.host.process.windows import pipes, process_table, spawn, supervisor, terminate
else:
    from awstoe.host.process.linux import pipes, process_table, spawn, supervisor, terminate

Identity: TypeAlias = process_table.Identity
"""Identifies a process forever, for the journal."""

_KILLED_EXIT_CODE: Final = 128 + 9
_NAMED: Final = 10
"""How many processes a message names."""


class ProcessEnd(NamedTuple):
    """How a program ended."""

    exit_code: int
    """128 + N if signal N ended it."""
    held_open: bool
    """Whether a process that it left in the background keeps its output open."""
    left: tuple[str, ...] = ()
    """Processes of a failed program that could not be ended, as ``<id> (<name>)``."""
    by_signal: bool = False
    """Whether a signal ended the program itself; other programs may also exit with 128 + N."""
    out_of_memory: bool | None = None
    """For exit code 137: whether the system has ended processes for lack of memory since the first
    program of this run was started; None if unknown."""


class _Session:
    """State that outlives one child: whether this process is prepared, and pipes held open."""

    __slots__ = ("drain", "prepared")

    def __init__(self) -> None:
        self.prepared = False
        self.drain: pipes.Drain | None = None


_session: Final = _Session()


def reaping_orphans() -> AbstractContextManager[None]:
    """Reap what background processes leave, as soon as it ends, also while no program runs here.

    ``run`` does that only until it returns.
    """
    if not _session.prepared:
        supervisor.prepare()
        _session.prepared = True
    return supervisor.reaping_orphans()


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
    """Run a program until it ends.

    Args:
        argv: The program and its arguments; a program without a separator is searched in PATH.
        environment: The child's whole environment (``environment.child_environment``).
        on_stdout: Receives standard output in pieces as they arrive, never empty.
        on_stderr: The same for standard error.
        deadline: The ``time.monotonic`` at which it times out; None: never.
        interruption: When to stop; a second Ctrl-C skips the rest of the grace period.
        on_start: Called with the process ID, before anything is read.
        on_late: Receives what a background process writes after this function has returned with
            ``held_open``, in another thread, until ``drain_end``.

    Raises:
        HostError: The program cannot be started: it is missing, or not for this machine.
        TimeoutExceeded: The deadline has passed; the process tree has been ended.
        Interrupted: A signal asks to stop; the process tree has been ended.
    """
    interruption.check()
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutExceeded(f"Timed out before {argv[0]} could be started.")
    with reaping_orphans():
        child = spawn.spawn(argv, environment)
        supervised = supervisor.ChildSupervisor(
            child, {child.stdout: on_stdout, child.stderr: on_stderr}, deadline, interruption
        )
        try:
            if on_start is not None:
                on_start(child.pid)
            return _supervise(supervised, argv[0], interruption, on_late or discard)
        except (TimeoutExceeded, Interrupted):
            raise
        except BaseException:
            if supervised.exit_code == 0:
                supervised.finish()
            else:
                supervised.discard_output()
                supervised.end_tree()
            raise
        finally:
            supervised.close()


def _supervise(
    child: supervisor.ChildSupervisor, name: str, interruption: Interruption, on_late: Sink
) -> ProcessEnd:
    ended = child.wait()
    if ended is Ended.TIMEOUT:
        left = tuple(child.end_tree())
        raise TimeoutExceeded(
            f"{name} was still running when this attempt timed out; {_ending(left)}.",
            hint="Set a longer timeoutSeconds for the step, or -1 for no limit.",
        )
    if ended is Ended.SIGNAL:
        child.end_tree()
        interruption.check()
    if child.exit_code:
        left = tuple(child.end_tree())
        return ProcessEnd(
            child.exit_code,
            held_open=False,
            left=left,
            by_signal=child.by_signal,
            out_of_memory=(
                supervisor.out_of_memory() if child.exit_code == _KILLED_EXIT_CODE else None
            ),
        )
    child.finish()
    if ended is not Ended.HELD_OPEN:
        return ProcessEnd(0, held_open=False)
    open_pipes = child.take_pipes()
    if open_pipes:
        if _session.drain is None:
            _session.drain = pipes.Drain()
        _session.drain.take(open_pipes, on_late)
    return ProcessEnd(0, held_open=bool(open_pipes))


def drain_end() -> None:
    """Stop reading what background processes write: the run and its logs have ended."""
    if _session.drain is not None:
        _session.drain.end()
        _session.drain = None


def identity(pid: int) -> Identity | None:
    """Return what identifies a running process forever, for the journal; None if it has ended."""
    return process_table.identity(pid)


def identity_from_token(pid: int, token: str) -> Identity | None:
    """Return the identity kept as ``identity(pid).token``; None if the token is invalid."""
    return process_table.identity_from_token(pid, token)


def orphans(leader: Identity) -> tuple[str, ...]:
    """Return the processes left of a step whose awstoe died, as ``<id> (<name>)``.

    After a reboot there are none.

    Args:
        leader: The ``identity`` of the process that ``run`` started for the step.
    """
    return tuple(describe(process_table.orphans(leader)))


def end_left_over(leader: Identity, interruption: Interruption) -> tuple[str, ...]:
    """End the processes left of a step whose awstoe died: TERM, the grace period, KILL.

    Returns:
        Those that could not be ended, as ``<id> (<name>)``.
    """
    return tuple(describe(terminate.end_orphans(leader, interruption)))


def _ending(left: Sequence[str]) -> str:
    if left:
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        return f"these of its processes could not be ended: {', '.join(left[:_NAMED])}{more}"
    return "its processes have been ended"
