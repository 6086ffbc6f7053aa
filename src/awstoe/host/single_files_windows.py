"""Windows: asks the single files that a step runs to stop, where no console can tell them.

The boot loader of a single file makes an event named after its process id before it unpacks
anything. Its program stops when that is set, and the boot loader removes what it has unpacked. If
both were ended with their job, nobody would.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from awstoe.host import jobs_windows as jobs
from awstoe.host import kernel32_windows as kernel32
from awstoe.host import process_tree_windows as tree

assert sys.platform == "win32"

_EVENT: Final = "Local\\awstoe-stop-{}"
"""As in the build's ``windows_bootloader_additions.h``."""


class SingleFile(NamedTuple):
    """A boot loader that runs, kept open, so that its id is no other's."""

    boot_loader: tree.Process
    handle: int
    """Of its process: is set when it has ended, which is when its files are removed."""
    event: int
    callers: tuple[tree.Process, ...]
    """The processes of the job that started it, from the first one on."""

    def ask(self) -> None:
        """Ask its program to stop.

        Raises:
            OSError: The system refused.
        """
        kernel32.api.SetEvent(self.event)

    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return not kernel32.is_set(self.handle)

    def close(self) -> None:
        """Close the handles."""
        kernel32.api.CloseHandle(self.event)
        kernel32.api.CloseHandle(self.handle)


@contextmanager
def found(job: jobs.Job) -> Iterator[list[SingleFile]]:
    """The single files of a job, until the context ends.

    One that another one of them has started is not among them: that one asks it. There are none if
    the system does not say who started what.
    """
    files = [file for pid in job.pids() if (file := _open(pid))]
    try:
        # Open, an id is no other's any more: who has one that is still in the job is in it.
        pids = set(job.pids()) if files else set()
        yield _outermost([file for file in files if file.boot_loader.pid in pids], pids)
    finally:
        for file in files:
            file.close()


def _open(pid: int) -> SingleFile | None:
    try:
        event = kernel32.open_event(_EVENT.format(pid))
    except OSError:
        return None
    try:
        handle = kernel32.open_process(pid)
    except OSError:
        kernel32.api.CloseHandle(event)
        return None
    boot_loader = tree.look_up(pid)
    if boot_loader is None:
        kernel32.api.CloseHandle(event)
        kernel32.api.CloseHandle(handle)
        return None
    return SingleFile(boot_loader, handle, event, ())


def _outermost(files: list[SingleFile], pids: set[int]) -> list[SingleFile]:
    if not files:
        return []
    boot_loaders = {file.boot_loader.pid for file in files}
    members = {process.pid: process for process in tree.look_up_all(pids)}
    try:
        parents = kernel32.parents()
    except OSError:
        return []
    outermost = []
    for file in files:
        callers = _callers(file.boot_loader, dict(members), parents)
        if not any(each.pid in boot_loaders for each in callers):
            outermost.append(file._replace(callers=callers))
    return outermost


def _callers(
    process: tree.Process, members: dict[int, tree.Process], parents: dict[int, int]
) -> tuple[tree.Process, ...]:
    """The processes of the job that led to this one; uses up ``members``."""
    callers: list[tree.Process] = []
    members.pop(process.pid, None)
    while caller := members.pop(parents.get(process.pid, 0), None):
        if caller.start > process.start:  # the parent has ended, this one has got its id
            break
        callers.insert(0, caller)
        process = caller
    return tuple(callers)
