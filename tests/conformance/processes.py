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
