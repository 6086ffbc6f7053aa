"""Windows: job objects, which hold a step's first process and everything that it starts.

A job ends all its processes when the last handle of it is closed, which the system does for a
process that was killed: so an awstoe that is killed takes its running step along. ``spare`` takes
this back for a step that was a success.
"""

import ctypes
import sys
from typing import Final

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"

_PROCESS_ID_LIST: Final = 3
_EXTENDED_LIMITS: Final = 9
_KILL_ON_CLOSE: Final = 0x2000
_FIRST_ROOM: Final = 64


class Job:
    """A job object; whatever is in it cannot leave it."""

    __slots__ = ("_handle",)

    def __init__(self) -> None:
        self._handle: int = kernel32.api.CreateJobObjectW(None, None)
        try:
            self._limit(_KILL_ON_CLOSE)
        except OSError:
            self.close()
            raise

    def take(self, process: int) -> None:
        """Put a process into the job, and with it all that it will start.

        Raises:
            OSError: It is in a job that allows no other one inside.
        """
        kernel32.api.AssignProcessToJobObject(self._handle, process)

    def pids(self) -> list[int]:
        """The ids of the processes that run in it."""
        room = _FIRST_ROOM
        while True:
            # Two counts, then the ids, each as wide as a pointer.
            found = (ctypes.c_size_t * (room + 1))()
            complete = kernel32.api.QueryInformationJobObject(
                self._handle, _PROCESS_ID_LIST, found, ctypes.sizeof(found), None
            )
            total, listed = (ctypes.c_uint32 * 2).from_buffer(found)
            if complete and listed >= total:
                return list(found[1 : listed + 1])
            if not complete and kernel32.last_error() != kernel32.ERROR_MORE_DATA:
                return list(found[1 : listed + 1])
            room = max(2 * room, total + _FIRST_ROOM)

    def spare(self) -> None:
        """Let what is in it live on when the job is closed."""
        self._limit(0)

    def terminate(self, exit_code: int) -> None:
        """End all that is in it, at once.

        Raises:
            OSError: The system refused.
        """
        kernel32.api.TerminateJobObject(self._handle, exit_code)

    def close(self) -> None:
        """Close it; what is in it ends unless it was spared."""
        if self._handle:
            kernel32.api.CloseHandle(self._handle)
            self._handle = 0

    def _limit(self, flags: int) -> None:
        limits = kernel32.JobLimits(flags=flags)
        kernel32.api.SetInformationJobObject(
            self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        )
