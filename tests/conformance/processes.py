"""Reads facts about other processes from /proc."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the child processes of a process; none if it has ended."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def group_of(pid: int) -> list[int]:
    """Return the processes in the group that ``pid`` leads."""
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX" and int(fields[2]) == pid:
                pids.append(int(entry.name))
    return pids


def leads_session(pid: int) -> bool:
    """Whether a process leads a session of its own; False if it has ended."""
    return _fields(pid)[3:4] == [str(pid)]


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped a process."""
    return _fields(pid)[:1] == ["T"]


def _fields(pid: int) -> list[str]:
    """Return the fields of a process's statistics from its state on; none if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
