"""Linux: finds the processes that a step started, and ends them all.

This process is a child subreaper: an orphan below it, also one that called ``setsid`` or forked
twice, becomes its child and stays findable by walking ``/proc`` upwards. The processes of the
running step are therefore all descendants except

- what an earlier, successful step left in the background (``disown``): it is known by process id
  and start time, its other descendants by their session;
- anything older than the step;
- children in our own session: a step never has one, as its first process starts a new session.

A process is named by its id *and* start time, and signalled through a descriptor that was checked
against both, so that a process id in use again never costs an innocent process its life. After a
crash of this program the same is done by session (``orphans``), as the tree above is gone.

The subreaper role belongs to the process, and so does the table of what is spared.
"""

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple

assert sys.platform == "linux"

_PR_SET_CHILD_SUBREAPER: Final = 36
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
MOST_LOOKS: Final = 100


class Process(NamedTuple):
    """One line of the process table."""

    pid: int
    parent: int
    group: int
    session: int
    start: int
    """In clock ticks since the system booted."""
    state: str
    name: str

    @property
    def ended(self) -> bool:
        """Whether only its exit status is left."""
        return self.state in "ZX"


class Identity(NamedTuple):
    """A process that a journal can name: no other process ever has the same three."""

    pid: int
    start_time: int
    boot_id: str

    @property
    def token(self) -> str:
        """All but the process id as one word; ``identity_from_token`` reads it."""
        return f"{self.start_time}@{self.boot_id}"


def identity_from_token(pid: int, token: str) -> Identity | None:
    """The ``Identity`` that a journal kept as a process id and a token, or None for other words."""
    start, _, boot = token.partition("@")
    return Identity(pid, int(start), boot) if start.isdecimal() else None


_spared: Final[dict[int, int]] = {}
"""Start times, by process id, of children that an earlier step left in the background."""
_spared_sessions: Final[set[int]] = set()


def adopt_orphans() -> None:
    """Make this process the one that orphans below it are handed to.

    The system calls it needs exist since Linux 3.4. Where they are refused, a process that
    detached itself completely is no longer found: nothing else changes.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def now() -> int:
    """The present in the unit of ``Process.start``."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS_PER_SECOND)


def look_up(pid: int) -> Process | None:
    """The process with this id, or None when there is none."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            line = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    # The name stands in parentheses and may itself hold any character.
    head, _, tail = line.rpartition(b")")
    fields = tail.split()
    state, threads = fields[0].decode(), int(fields[17])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        start=int(fields[19]),
        # A process whose first thread has ended looks like a zombie while its others run.
        state="S" if state == "Z" and threads > 1 else state,
        name=head.partition(b"(")[2].decode("utf-8", "backslashreplace"),
    )


def _all() -> Iterator[Process]:
    try:
        names = os.listdir("/proc")
    except OSError:  # a chroot without it: only the first process of a step can be ended
        return
    for name in names:
        if name.isdigit() and (process := look_up(int(name))):
            yield process


def _by_parent(processes: Iterable[Process]) -> dict[int, list[Process]]:
    families: dict[int, list[Process]] = {}
    for process in processes:
        families.setdefault(process.parent, []).append(process)
    return families


def _below(roots: list[Process], families: Mapping[int, list[Process]]) -> list[Process]:
    """``roots`` and all their descendants."""
    found = {process.pid: process for process in roots}
    ahead = list(roots)
    while ahead:
        for process in families.get(ahead.pop().pid, ()):
            if process.pid not in found:
                found[process.pid] = process
                ahead.append(process)
    return list(found.values())


def _children() -> list[int]:
    """The process ids of our own children, ended ones too."""
    found: list[int] = []
    try:
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        me = os.getpid()
        return [process.pid for process in _all() if process.parent == me]
    return found


def has_children() -> bool:
    """Whether there is any child at all, ended ones included: one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def reap(leader: int) -> None:
    """Take the exit status of orphans that have ended; ``leader`` is waited for elsewhere."""
    try:
        if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
    except ChildProcessError:
        return
    ours = os.getsid(0)
    for pid in _children():
        child = look_up(pid)
        if pid != leader and child and child.ended and child.session != ours:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            _spared.pop(pid, None)


def disown(leader: int) -> None:
    """Let all that is running now live on: the step that started it was a success."""
    if not has_children():
        _spared.clear()
        _spared_sessions.clear()
        return
    reap(leader)
    fresh = [pid for pid in _children() if pid not in _spared]
    if not fresh:
        return
    ours = os.getsid(0)
    table = {process.pid: process for process in _all()}
    roots = [table[pid] for pid in fresh if pid in table and table[pid].session != ours]
    _spared.update((root.pid, root.start) for root in roots)
    _spared_sessions.update(p.session for p in _below(roots, _by_parent(table.values())))


def started(leader: int) -> None:
    """Note that a step's first process has started: its session is new, whatever had its id."""
    if _spared_sessions:
        _spared_sessions.discard(leader)


def step_processes(leader: int, since: int) -> list[Process]:
    """The running processes of the step whose first process is ``leader``; reaps its orphans.

    Args:
        leader: The process id of the step's first process, which may have ended.
        since: A time (``now``) at or before its start.
    """
    reap(leader)
    families = _by_parent(_all())
    roots = [child for child in families.get(os.getpid(), ()) if _belongs(child, since)]
    found = [process for process in _below(roots, families) if not process.ended]
    return found or own_children(leader, since)


def _belongs(child: Process, since: int) -> bool:
    """Whether a child of ours is of the step that began at ``since``."""
    return (
        child.session != os.getsid(0)
        and child.start >= since
        and child.session not in _spared_sessions
        and _spared.get(child.pid) != child.start
    )


def own_children(leader: int, since: int) -> list[Process]:
    """The running processes of the step that are our own children, in a few system calls.

    They tell for certain whether anybody is left, which a walk through /proc does not: a process
    that forks and ends while /proc is read is gone when its turn comes, and its child was not there
    when the reading began. But whoever has lost its parent is our child at once, and
    stays one until it is reaped here: when no child is left after the reaping, there is nobody.
    """
    seen: set[int] = set()
    for _ in range(MOST_LOOKS):
        pids = _children()
        children = [child for pid in pids if (child := look_up(pid)) and _belongs(child, since)]
        running = [child for child in children if not child.ended]
        if running:
            return running
        if seen.issuperset(pids):
            return []
        seen.update(pids)
        reap(leader)
    return []


def identity(pid: int) -> Identity | None:
    """What names the process ``pid`` for ever, or None when there is none."""
    process = look_up(pid)
    return Identity(pid, process.start, boot_id()) if process else None


@cache
def boot_id() -> str:
    """What names the present run of the system; empty where a sandbox hides it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def orphans(leader: Identity) -> list[Process]:
    """What still runs of a step whose awstoe has died: the session of ``leader`` and all below.

    A process id is not given out again while a session of that number has a member. So when
    ``leader`` lives with another start time its session is over; when it is gone, members that are
    younger than it and belong to the same user are its own.
    """
    if not leader.boot_id or leader.boot_id != boot_id():
        return []
    table = {process.pid: process for process in _all()}
    present = table.get(leader.pid)
    if present and present.start != leader.start_time:
        return []
    user = os.getuid()
    roots = [
        process
        for process in table.values()
        if process.session == leader.pid
        and process.start >= leader.start_time
        and (user == 0 or _owner(process.pid) == user)
    ]
    return [p for p in _below(roots, _by_parent(table.values())) if not p.ended]


def _owner(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return -1
