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
from awstoe.host import kernel32_windows as kernel32
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.windows import job as jobs
from awstoe.host.process.windows import job_members
from awstoe.host.process.windows import one_file as single_files
from awstoe.host.process.windows import process_table as tree

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
    over = time.monotonic() + limits.TERM_GRACE_SECONDS
    if group is not None and _tell(group):
        if _told_are_gone(job, over, pause, hurried):
            return []
    else:
        _stop_single_files(job, over, pause, hurried)
    _end_now(job, pause)
    if _gone(job.pids, time.monotonic() + limits.KILL_SECONDS, pause, lambda: False):
        return []
    return tree.look_up_all(job.pids())


def _told_are_gone(
    job: jobs.Job, over: float, pause: Callable[[float], None], hurried: Callable[[], bool]
) -> bool:
    """Wait for those who were told by Ctrl-Break, for single files a bit longer.

    These grant their own step the same time. One with another console is asked now.
    """
    if _gone(job.pids, over, pause, hurried):
        return True
    if hurried():
        return False
    with job_members.Members(job) as members:
        files = single_files.outermost(single_files.among(members))
        single_files.ask(files)
    longer = time.monotonic() + limits.SINGLE_FILE_SECONDS
    return bool(files) and _gone(job.pids, longer, pause, hurried)


def _stop_single_files(
    job: jobs.Job, over: float, pause: Callable[[float], None], hurried: Callable[[], bool]
) -> None:
    """Ask single files, if only they can be asked, until none is left; then end the others.

    Whoever has started them is ended before: a command processor would go on with its next command.
    """
    while True:
        with job_members.Members(job) as members:
            files = single_files.outermost(single_files.among(members))
            if not files:
                _terminate_all(job)
                return
            for file in files:
                members.end(file.callers, _KILLED)
            single_files.ask(files)
            members.resume()
            if not _gone(partial(single_files.running, files), over, pause, hurried):
                return


def _end_now(job: jobs.Job, pause: Callable[[float], None]) -> None:
    """End them all; the boot loaders of single files last, as they remove what they unpacked.

    A program that has started a single file ends after that: it has the job that this is in.
    """
    over = time.monotonic() + limits.SINGLE_FILE_SECONDS
    with job_members.Members(job) as members:
        files = single_files.among(members)
        while files:
            callers = {pid for file in files for pid in file.callers}
            boot_loaders = {file.pid for file in files}
            members.end(members.handles.keys() - callers - boot_loaders, _KILLED)
            innermost = [file for file in files if file.pid not in callers]
            single_files.ask(innermost)  # one may be about to start its program
            members.resume(file.pid for file in innermost)
            running = partial(single_files.running, innermost)
            if not innermost or not _gone(running, over, pause, lambda: False):
                break
            files = [file for file in files if single_files.running([file])]
        _terminate_all(job)


def _terminate_all(job: jobs.Job) -> None:
    """End the job's processes; those that the system does not end are reported in the end."""
    with suppress(OSError):
        job.terminate(_KILLED)


def _tell(group: int) -> bool:
    """Send Ctrl-Break to a process group; whether it was sent."""
    try:
        kernel32.api.GenerateConsoleCtrlEvent(_CTRL_BREAK, group)
    except OSError:
        return False
    return True


def _gone(
    waited_for: Callable[[], object],
    over: float,
    pause: Callable[[float], None],
    hurried: Callable[[], bool],
) -> bool:
    """Whether nobody is left to be waited for at the time ``over``."""
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
        handle = kernel32.open_process(process.pid, kernel32.PROCESS_TERMINATE)
    except OSError:
        return
    try:
        if kernel32.creation_time(handle) == process.start:
            kernel32.api.TerminateProcess(handle, _KILLED)
    except OSError:
        return
    finally:
        kernel32.api.CloseHandle(handle)
