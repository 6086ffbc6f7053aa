"""Linux: finds the processes that a step started.

This process is a child subreaper: an orphan below it, even one that called ``setsid`` or forked
twice, becomes its child and can be found in ``/proc`` by its parents. The processes of the running
step are therefore all our descendants except

- what an earlier, successful step left in the background (``disown``): known by process ID and
  start time, its descendants by their session;
- anything older than the step;
- children in our own session: a step has none, as its first process starts a new session.

A process is identified by its ID *and* start time, as IDs are reused, and signaled through a
descriptor that was checked against both. If this program crashed, its descendants have other
parents, and ``orphans`` finds them by session.

The subreaper role belongs to the process, and so does the table of disowned processes. ``reaper``
reaps orphans at once, so a process may vanish between any two lines here.
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
MAX_SCANS: Final = 100


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
    """Identifies a process forever, for the journal: no other one ever has these three values."""

    pid: int
    start_time: int
    boot_id: str

    @property
    def token(self) -> str:
        """Everything but the process ID, as one word for ``identity_from_token``."""
        return f"{self.start_time}@{self.boot_id}"


def identity_from_token(pid: int, token: str) -> Identity | None:
    """Return the ``Identity`` that a journal kept; None if the token is invalid."""
    start, _, boot = token.partition("@")
    return Identity(pid, int(start), boot) if start.isdecimal() else None


_disowned: Final[dict[int, int]] = {}
"""Start times, by process ID, of children that an earlier step left in the background."""
_disowned_sessions: Final[set[int]] = set()


def adopt_orphans() -> None:
    """Make this process the parent of orphans below it.

    Linux has the system call since 3.4. If a sandbox blocks it, a process that fully detached
    itself is not found; nothing else changes.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def now() -> int:
    """Return the present time in the unit of ``Process.start``."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS_PER_SECOND)


def look_up(pid: int) -> Process | None:
    """Return the process with this ID, or None."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            line = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    # The name is in parentheses and may itself contain any character.
    head, _, tail = line.rpartition(b")")
    fields = tail.split()
    state, threads = fields[0].decode(), int(fields[17])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        start=int(fields[19]),
        # A process whose first thread has ended looks like a zombie while other threads run.
        state="S" if state == "Z" and threads > 1 else state,
        name=head.partition(b"(")[2].decode("utf-8", "backslashreplace"),
    )


def _all() -> Iterator[Process]:
    try:
        names = os.listdir("/proc")
    except OSError:  # a chroot without /proc: only the first process of a step can be ended
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
    """Return ``roots`` and all their descendants."""
    found = {process.pid: process for process in roots}
    ahead = list(roots)
    while ahead:
        for process in families.get(ahead.pop().pid, ()):
            if process.pid not in found:
                found[process.pid] = process
                ahead.append(process)
    return list(found.values())


def _children() -> list[int]:
    """Return the process IDs of our children, including those that have ended."""
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
    """Whether we have any child, including ended ones. Takes one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def ended_child() -> int | None:
    """Return the process ID of a child that has ended, if there is one."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if ended is None else ended.si_pid


def wait_for_end() -> bool:
    """Wait until a child has ended, which may be one that is already known. Reap nothing.

    Returns:
        False if there is no child. Then there are no orphans, either.
    """
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def reap_next(leader: int) -> bool:
    """Reap an orphan that has ended, usually without reading /proc.

    Returns:
        False if a child of other code in our session has ended. As long as it is there, the kernel
        shows only that one. All orphans that have ended have been reaped.
    """
    pid = ended_child()
    if pid is None:
        return True
    with contextlib.suppress(ProcessLookupError):
        if os.getsid(pid) == os.getsid(0):
            reap(leader)
            return False
    _reap_one(pid)
    return True


def reap(leader: int) -> None:
    """Reap all orphans that have ended, but not ``leader``."""
    if ended_child() is None:
        return
    ours = os.getsid(0)
    for pid in _children():
        child = look_up(pid)
        if pid != leader and child and child.ended and child.session != ours:
            _reap_one(pid)


def _reap_one(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    _disowned.pop(pid, None)


def disown(leader: int) -> None:
    """Let all processes of a successful step keep running."""
    if not has_children():
        _disowned.clear()
        _disowned_sessions.clear()
        return
    reap(leader)
    fresh = [pid for pid in _children() if pid not in _disowned]
    if not fresh:
        return
    ours = os.getsid(0)
    table = {process.pid: process for process in _all()}
    roots = [table[pid] for pid in fresh if pid in table and table[pid].session != ours]
    _disowned.update((root.pid, root.start) for root in roots)
    _disowned_sessions.update(p.session for p in _below(roots, _by_parent(table.values())))


def started(leader: int) -> None:
    """Note that a step's first process has started: its session is new, even if its ID is not."""
    if _disowned_sessions:
        _disowned_sessions.discard(leader)


def step_processes(leader: int, since: int) -> list[Process]:
    """Return the running processes of a step, and reap its orphans.

    Args:
        leader: The process ID of the step's first process, which may have ended.
        since: A time (``now``) at or before its start.
    """
    reap(leader)
    families = _by_parent(_all())
    roots = [child for child in families.get(os.getpid(), ()) if _belongs(child, since)]
    found = [process for process in _below(roots, families) if not process.ended]
    return found or own_children(leader, since)


def _belongs(child: Process, since: int) -> bool:
    """Whether a child of ours belongs to the step that started at ``since``."""
    return (
        child.session != os.getsid(0)
        and child.start >= since
        and child.session not in _disowned_sessions
        and _disowned.get(child.pid) != child.start
    )


def own_children(leader: int, since: int) -> list[Process]:
    """Return the step's running processes that are our own children, in a few system calls.

    Unlike a scan of /proc, they show for certain whether any process is left. A process that forks
    and ends during a scan is missed, and its child did not exist when the scan started. But a
    process that has lost its parent becomes our child at once and stays so until it is reaped here:
    if no child is left after reaping, no process is.
    """
    seen: set[int] = set()
    for _ in range(MAX_SCANS):
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
    """Return what identifies the process ``pid`` forever, or None if it has ended."""
    process = look_up(pid)
    return Identity(pid, process.start, boot_id()) if process else None


@cache
def boot_id() -> str:
    """Return the ID of the present boot; empty if a sandbox hides it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def orphans(leader: Identity) -> list[Process]:
    """Return what still runs of a step whose awstoe died: ``leader``'s session and all below it.

    The kernel does not reuse a process ID while a session of that number has a member. So if the ID
    belongs to a process with another start time, the session has ended. If no process has it,
    members of the session that are younger and belong to the same user are the step's.
    """
    if not leader.boot_id or leader.boot_id != boot_id():
        return []
    table = {process.pid: process for process in _all()}
    holder = table.get(leader.pid)
    if holder and holder.start != leader.start_time:
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
