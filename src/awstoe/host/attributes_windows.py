"""File attributes on Windows: a new file takes its folder's access list, as with Explorer."""

import os


def carry_over_owner_and_mode(path: str, old: os.stat_result, descriptor: int) -> None:
    """Nothing to do: owner and access come from the folder."""
    del path, old, descriptor


def carry_over_everything(path: str, old: os.stat_result, descriptor: int) -> None:
    """Nothing to do on an open file: times are set by path."""
    del path, old, descriptor


def carry_over_to_path(path: str, old: os.stat_result, twin: str) -> None:
    """Keep the times.

    Raises:
        OSError: They cannot be set.
    """
    del path
    os.utime(twin, ns=(old.st_atime_ns, old.st_mtime_ns))
