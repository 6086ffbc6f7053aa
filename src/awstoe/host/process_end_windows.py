"""Windows: ends the processes of a step.

Ctrl-Break where they have our console, an event for the single files among them, a grace period for
who was told, the end of the job.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from awstoe import limits
from awstoe.host import jobs_windows as jobs
from awstoe.host import kernel32_windows as kernel32
from awstoe.host import process_tree_windows as tree
from awstoe.host import single_files_windows as single_files
from awstoe.host.interruption import Interruption

assert sys.platform == "win32"

_CTRL_BREAK: Final = 1
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.1
_KILLED: Final = 0xC000013A
"""The exit code of what Ctrl-C ends (STATUS_CONTROL_C_EXIT); whoever is ended hard gets it too."""


def end(
    job: jobs.Job, group: int | None, pause: Callable[[float], None], hurried: Callable[[], bool]
) -> list[tree.Process]:
    """End all processes of a job.

    Args:
        job: The job.
        group: The process group that can be told by Ctrl-Break; None: none can. Then only single
            files are told, and only they are waited for.
        pause: Waits so many seconds, or less when something happened; keeps reading output.
        hurried: Whether to leave out the rest of the grace period.

    Returns:
        Those that run on: the system could not end them.
    """
    with single_files.found(job) as files:
        told = group is not None and _tell(group)
        _ask(files, alone=not told)
        if told:
            if _gone(job.pids, limits.TERM_GRACE_SECONDS, pause, hurried):
                return []
        elif files:
            running = partial(_running, files)
            _gone(running, limits.TERM_GRACE_SECONDS, pause, hurried)
    try:
        job.terminate(_KILLED)
    except OSError:
        return tree.look_up_all(job.pids())
    if _gone(job.pids, limits.KILL_SECONDS, pause, lambda: False):
        return []
    return tree.look_up_all(job.pids())


def _running(files: list[single_files.SingleFile]) -> bool:
    return any(file.runs() for file in files)


def _ask(files: list[single_files.SingleFile], *, alone: bool) -> None:
    """Ask single files to stop; ``alone``: whoever waits for them is not asked, so it is ended.

    A command processor would go on with its next command otherwise.
    """
    for file in files:
        for caller in file.callers if alone else ():
            _terminate(caller)
        with suppress(OSError):
            file.ask()


def _tell(group: int) -> bool:
    """Send Ctrl-Break to a process group; whether it was sent."""
    try:
        kernel32.api.GenerateConsoleCtrlEvent(_CTRL_BREAK, group)
    except OSError:
        return False
    return True


def _gone(
    waited_for: Callable[[], object],
    seconds: float,
    pause: Callable[[float], None],
    hurried: Callable[[], bool],
) -> bool:
    """Whether nobody is left to be waited for in time."""
    over = time.monotonic() + seconds
    step = _FIRST_PAUSE
    while waited_for():
        left = over - time.monotonic()
        if left <= 0 or hurried():
            return False
        pause(min(step, left))
        step = min(step * 2, _LONGEST_PAUSE)
    return True


def end_orphans(leader: tree.Identity, interruption: Interruption) -> list[tree.Process]:
    """End what still runs of a step whose awstoe died; gives what could not be ended.

    It had a console with an awstoe that is no more: nobody can tell it to end by itself.
    """
    del interruption
    for process in tree.orphans(leader):
        _terminate(process)
    over = time.monotonic() + limits.KILL_SECONDS
    while (left := tree.orphans(leader)) and time.monotonic() < over:
        time.sleep(_LONGEST_PAUSE)
    return left


def _terminate(process: tree.Process) -> None:
    """End exactly this process: ids are given out again."""
    try:
        handle = kernel32.open_process(process.pid, to_end_it=True)
    except OSError:
        return
    try:
        if kernel32.creation_time(handle) == process.start:
            kernel32.api.TerminateProcess(handle, _KILLED)
    except OSError:
        return
    finally:
        kernel32.api.CloseHandle(handle)
