"""Windows: names processes for ever, and finds what is left of a step whose awstoe died."""

import ntpath
import sys
from collections.abc import Iterable
from typing import NamedTuple

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"


class Process(NamedTuple):
    """A process that runs."""

    pid: int
    start: int
    """In 100 nanoseconds since 1601."""
    name: str


class Identity(NamedTuple):
    """A process that a journal can name: its time of creation is no other's of the same id."""

    pid: int
    start_time: int

    @property
    def token(self) -> str:
        """All but the process id as one word; ``identity_from_token`` reads it."""
        return str(self.start_time)


def identity_from_token(pid: int, token: str) -> Identity | None:
    """The ``Identity`` that a journal kept as a process id and a token, or None for other words."""
    return Identity(pid, int(token)) if token.isdecimal() else None


def look_up(pid: int) -> Process | None:
    """The running process with this id; None when there is none or it is not ours to look at."""
    try:
        handle = kernel32.open_process(pid)
    except OSError:
        return None
    try:
        if kernel32.is_set(handle):  # it has ended, and somebody still has a handle of it
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
    """Those that still run."""
    return [process for pid in pids if (process := look_up(pid))]


def identity(pid: int) -> Identity | None:
    """What names the process ``pid`` for ever, or None when there is none."""
    process = look_up(pid)
    return Identity(pid, process.start) if process else None


def orphans(leader: Identity) -> list[Process]:
    """What still runs of a step whose awstoe has died: its first process, if anything.

    The others, and mostly that one too, ended with the job whose last handle awstoe had.
    """
    process = look_up(leader.pid)
    return [process] if process and process.start == leader.start_time else []
