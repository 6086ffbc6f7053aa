"""Windows: ends the processes of a step: Ctrl-Break, a grace period, the end of the job."""

import sys
import time
from collections.abc import Callable
from typing import Final

from awstoe import limits
from awstoe.host import jobs_windows as jobs
from awstoe.host import kernel32_windows as kernel32
from awstoe.host import process_tree_windows as tree
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
        group: The process group that can be told by Ctrl-Break; None: nobody can be told, so there
            is no use in waiting.
        pause: Waits so many seconds, or less when something happened; keeps reading output.
        hurried: Whether to leave out the rest of the grace period.

    Returns:
        Those that run on: the system could not end them.
    """
    if group is not None and _tell(group) and _gone(job, limits.TERM_GRACE_SECONDS, pause, hurried):
        return []
    try:
        job.terminate(_KILLED)
    except OSError:
        return tree.look_up_all(job.pids())
    if _gone(job, limits.KILL_SECONDS, pause, lambda: False):
        return []
    return tree.look_up_all(job.pids())


def _tell(group: int) -> bool:
    """Send Ctrl-Break to a process group; whether it was sent."""
    try:
        kernel32.api.GenerateConsoleCtrlEvent(_CTRL_BREAK, group)
    except OSError:
        return False
    return True


def _gone(
    job: jobs.Job, seconds: float, pause: Callable[[float], None], hurried: Callable[[], bool]
) -> bool:
    """Whether all processes of the job ended in time."""
    over = time.monotonic() + seconds
    step = _FIRST_PAUSE
    while job.pids():
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
