"""Windows: identifies processes forever, and finds what is left of a step whose awstoe died."""

import ntpath
import sys
from collections.abc import Iterable
from typing import NamedTuple

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"


class Process(NamedTuple):
    """A running process."""

    pid: int
    start: int
    """In 100 nanoseconds since 1601."""
    name: str


class Identity(NamedTuple):
    """Identifies a process forever, for the journal: IDs are reused, but with other times."""

    pid: int
    start_time: int

    @property
    def token(self) -> str:
        """Everything but the process ID, as one word for ``identity_from_token``."""
        return str(self.start_time)


def identity_from_token(pid: int, token: str) -> Identity | None:
    """Return the ``Identity`` that a journal kept; None if the token is invalid."""
    return Identity(pid, int(token)) if token.isdecimal() else None


def look_up(pid: int) -> Process | None:
    """Return the running process with this ID; None if there is none or we may not open it."""
    try:
        handle = kernel32.open_process(pid)
    except OSError:
        return None
    try:
        if kernel32.is_set(handle):  # it has ended, but a process still has a handle of it
            return None
        return Process(pid, kernel32.creation_time(handle), _name(handle))
    except OSError:
        return None
    finally:
        kernel32.api.CloseHandle(handle)


def _name(handle: int) -> str:
    try:
        return ntpath.basename(kernel32.image_name(handle))
    except OSError:
        return "?"


def look_up_all(pids: Iterable[int]) -> list[Process]:
    """Return those that still run."""
    return [process for pid in pids if (process := look_up(pid))]


def identity(pid: int) -> Identity | None:
    """Return what identifies the process ``pid`` forever, or None if it has ended."""
    process = look_up(pid)
    return Identity(pid, process.start) if process else None


def orphans(leader: Identity) -> list[Process]:
    """Return what still runs of a step whose awstoe died: its first process, or nothing.

    The others, and usually this one too, ended with the job when awstoe's handle was closed.
    """
    process = look_up(leader.pid)
    return [process] if process and process.start == leader.start_time else []
