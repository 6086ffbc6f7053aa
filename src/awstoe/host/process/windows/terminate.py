"""Windows: ends the processes of a step.

Ctrl-Break if they share our console, an event for single-file executables among them, a grace
period for those that were asked, then the end of the job.
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
from awstoe.host.process.windows import job_members, one_file, process_table

assert sys.platform == "win32"

_CTRL_BREAK: Final = 1
_FIRST_WAIT: Final = 0.002
_LONGEST_WAIT: Final = 0.1
_KILLED: Final = 0xC000013A
"""The exit code of a process that Ctrl-C ends (STATUS_CONTROL_C_EXIT), or that we end by force."""


def end(
    job: jobs.Job, group: int | None, wait: Callable[[float], None], is_urgent: Callable[[], bool]
) -> list[process_table.Process]:
    """End all processes of a job.

    Args:
        job: The job.
        group: The process group that Ctrl-Break can reach, or None. Without it, only single-file
            executables are asked, and only they get a grace period.
        wait: Waits up to this many seconds and keeps reading output.
        is_urgent: Whether to skip the rest of the grace period.

    Returns:
        Those that still run: the system could not end them.
    """
    over = time.monotonic() + limits.TERM_GRACE_SECONDS
    if group is not None and _send_ctrl_break(group):
        if _all_end(job, over, wait, is_urgent):
            return []
    else:
        _stop_one_files(job, over, wait, is_urgent)
    _end_now(job, wait)
    if _gone(job.pids, time.monotonic() + limits.KILL_SECONDS, wait, lambda: False):
        return []
    return process_table.look_up_all(job.pids())


def _all_end(
    job: jobs.Job, over: float, wait: Callable[[float], None], is_urgent: Callable[[], bool]
) -> bool:
    """Wait for the processes that got Ctrl-Break, for single-file executables a bit longer.

    These give their own step the same grace period. One on another console is asked now.
    """
    if _gone(job.pids, over, wait, is_urgent):
        return True
    if is_urgent():
        return False
    with job_members.Members(job) as members:
        files = one_file.outermost(one_file.among(members))
        one_file.request_stop(files)
    longer = time.monotonic() + limits.BOOTLOADER_SECONDS
    return bool(files) and _gone(job.pids, longer, wait, is_urgent)


def _stop_one_files(
    job: jobs.Job, over: float, wait: Callable[[float], None], is_urgent: Callable[[], bool]
) -> None:
    """Stop single-file executables until none is left, then end the others, which cannot be asked.

    Their callers are ended first: a command processor would run its next command.
    """
    while True:
        with job_members.Members(job) as members:
            files = one_file.outermost(one_file.among(members))
            if not files:
                _terminate_all(job)
                return
            for file in files:
                members.end(file.callers, _KILLED)
            one_file.request_stop(files)
            members.resume()
            if not _gone(partial(one_file.running, files), over, wait, is_urgent):
                return


def _end_now(job: jobs.Job, wait: Callable[[float], None]) -> None:
    """End all processes, the bootloaders last, as they then remove what they unpacked.

    A program that started a single-file executable ends after it: it holds the job of that one.
    """
    over = time.monotonic() + limits.BOOTLOADER_SECONDS
    with job_members.Members(job) as members:
        files = one_file.among(members)
        while files:
            callers = {pid for file in files for pid in file.callers}
            bootloaders = {file.pid for file in files}
            members.end(members.handles.keys() - callers - bootloaders, _KILLED)
            innermost = [file for file in files if file.pid not in callers]
            one_file.request_stop(innermost)  # one of them may not have started its program yet
            members.resume(file.pid for file in innermost)
            running = partial(one_file.running, innermost)
            if not innermost or not _gone(running, over, wait, lambda: False):
                break
            files = [file for file in files if one_file.running([file])]
        _terminate_all(job)


def _terminate_all(job: jobs.Job) -> None:
    """End the job's processes; those that still run are reported later."""
    with suppress(OSError):
        job.terminate(_KILLED)


def _send_ctrl_break(group: int) -> bool:
    """Send Ctrl-Break to a process group; return whether it was sent."""
    try:
        kernel32.api.GenerateConsoleCtrlEvent(_CTRL_BREAK, group)
    except OSError:
        return False
    return True


def _gone(
    waited_for: Callable[[], object],
    over: float,
    wait: Callable[[float], None],
    is_urgent: Callable[[], bool],
) -> bool:
    """Wait until nothing is left or the time ``over``; return whether nothing is left."""
    step = _FIRST_WAIT
    while waited_for():
        left = over - time.monotonic()
        if left <= 0 or is_urgent():
            return False
        wait(min(step, left))
        step = min(step * 2, _LONGEST_WAIT)
    return True


def end_orphans(
    leader: process_table.Identity, interruption: Interruption
) -> list[process_table.Process]:
    """End what still runs of a step whose awstoe died; return what could not be ended.

    Ctrl-Break cannot reach it: its console was that of the awstoe that died.
    """
    del interruption
    for process in process_table.orphans(leader):
        _terminate(process)
    over = time.monotonic() + limits.KILL_SECONDS
    while (left := process_table.orphans(leader)) and time.monotonic() < over:
        time.sleep(_LONGEST_WAIT)
    return left


def _terminate(process: process_table.Process) -> None:
    """End exactly this process: IDs are reused."""
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
