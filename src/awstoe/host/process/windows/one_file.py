"""Windows: asks the single files that a step runs to stop.

The boot loader of a single file makes an event named after its process id before it unpacks
anything. Its program stops when that is set, and the boot loader removes what it has unpacked. If
both were ended together, nobody would.
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
    """The boot loader of a single file."""

    pid: int
    handle: int
    """Of its process: is set when it has ended, which is when its files are removed."""
    event: int
    callers: tuple[int, ...]
    """The process ids of the members that led to it."""


def among(members: job_members.Members) -> list[OneFileProcess]:
    """The single files among the processes of a job; none if nobody says who started what."""
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
    """Without those that another one of them has started: that one asks them."""
    boot_loaders = {file.pid for file in files}
    return [file for file in files if boot_loaders.isdisjoint(file.callers)]


def ask(files: Sequence[OneFileProcess]) -> None:
    """Ask their programs to stop."""
    for file in files:
        with suppress(OSError):
            kernel32.api.SetEvent(file.event)


def running(files: Sequence[OneFileProcess]) -> bool:
    """Whether one of them has not ended yet."""
    return not all(kernel32.is_set(file.handle) for file in files)


def _callers(pid: int, handles: Mapping[int, int], parents: Mapping[int, int]) -> tuple[int, ...]:
    callers: list[int] = []
    while (caller := parents.get(pid, 0)) in handles and caller not in callers:
        # A parent that is younger has got the id of the real one.
        if kernel32.creation_time(handles[caller]) > kernel32.creation_time(handles[pid]):
            break
        callers.append(caller)
        pid = caller
    return tuple(callers)
