"""Windows: asks the single-file executables that a step runs to stop.

Their bootloader creates an event named after its process ID before it unpacks anything. Its program
stops when the event is set, and the bootloader then removes what it unpacked. If both are ended at
once, the unpack folder stays until a later start removes it.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.process.windows import job_members

assert sys.platform == "win32"

_EVENT: Final = "Local\\awstoe-stop-{}"
"""As in the build's ``windows_bootloader_additions.h``."""


class OneFileProcess(NamedTuple):
    """The bootloader of a single-file executable."""

    pid: int
    handle: int
    """Of its process: set once it has ended and removed what it unpacked."""
    event: int
    callers: tuple[int, ...]
    """The process IDs of its ancestors among the job's members."""


def among(members: job_members.Members) -> list[OneFileProcess]:
    """Return the bootloaders among a job's processes; none if the system does not list parents."""
    events = {}
    for pid in members.handles:
        with suppress(OSError):
            events[pid] = kernel32.open_event(_EVENT.format(pid))
            members.keep(events[pid])
    if not events:
        return []
    handles = members.handles
    try:
        parents = kernel32.parents()
        return [
            OneFileProcess(pid, handles[pid], event, _callers(pid, handles, parents))
            for pid, event in events.items()
        ]
    except OSError:
        return []


def outermost(files: Sequence[OneFileProcess]) -> list[OneFileProcess]:
    """Return those that no other one started: each of them stops its own descendants."""
    bootloaders = {file.pid for file in files}
    return [file for file in files if bootloaders.isdisjoint(file.callers)]


def request_stop(files: Sequence[OneFileProcess]) -> None:
    """Set their events, which ask their programs to stop."""
    for file in files:
        with suppress(OSError):
            kernel32.api.SetEvent(file.event)


def running(files: Sequence[OneFileProcess]) -> bool:
    """Whether one of them still runs."""
    return not all(kernel32.is_set(file.handle) for file in files)


def _callers(pid: int, handles: Mapping[int, int], parents: Mapping[int, int]) -> tuple[int, ...]:
    callers: list[int] = []
    while (caller := parents.get(pid, 0)) in handles and caller not in callers:
        # A younger process has reused the ID of the real parent.
        if kernel32.creation_time(handles[caller]) > kernel32.creation_time(handles[pid]):
            break
        callers.append(caller)
        pid = caller
    return tuple(callers)
