"""Linux: whether the kernel has ended processes for lack of memory.

The kernel ends them with SIGKILL, like anyone else. It counts them: for each control group, and for
the whole system.
"""

import sys
from typing import Final

assert sys.platform == "linux"

_GROUPS: Final = "/proc/self/cgroup"
_MOUNTED: Final = "/sys/fs/cgroup"
_SYSTEM: Final = "/proc/vmstat"
_KEY: Final = "oom_kill"


class MemoryKills:
    """Counts the processes that were ended for lack of memory since it was made.

    Args:
        groups: The file with the control groups of this process.
        mounted: Where control groups are mounted.
        system: The file with the counters of the whole system.
    """

    __slots__ = ("_file", "_first")

    def __init__(
        self, groups: str = _GROUPS, mounted: str = _MOUNTED, system: str = _SYSTEM
    ) -> None:
        self._file = next(
            (path for path in (*_files(groups, mounted), system) if _count(path) is not None), ""
        )
        self._first = _count(self._file)

    def any(self) -> bool | None:
        """Whether there was one; None if this kernel does not count them."""
        now = _count(self._file)
        return None if now is None or self._first is None else now > self._first


def _files(groups: str, mounted: str) -> list[str]:
    """Return the files with the counters of our control group, in version 2 and version 1.

    In a container the path may be that on its host, and what is mounted is the group itself.
    """
    try:
        with open(groups, encoding="utf-8", errors="surrogateescape") as file:
            entries = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return []
    found = []
    for _, controllers, path in (entry for entry in entries if len(entry) == 3):  # noqa: PLR2004
        if not controllers:
            found += [f"{mounted}{where}/memory.events" for where in (path.rstrip("/"), "")]
        elif controllers == "memory":
            folder = f"{mounted}/memory"
            found += [f"{folder}{where}/memory.oom_control" for where in (path.rstrip("/"), "")]
    return found


def _count(path: str) -> int | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(" ")
                if key == _KEY:
                    return int(value)
    except (OSError, ValueError):
        pass
    return None
