"""Windows: job objects, which hold a step's first process and everything that it starts.

A job ends all its processes when its last handle is closed, which the system does for a process
that was killed: so the running step ends with its awstoe. ``disown`` reverts this for a successful
step.
"""

import ctypes
import sys
from typing import Final

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"

_PROCESS_ID_LIST: Final = 3
_EXTENDED_LIMITS: Final = 9
_KILL_ON_CLOSE: Final = 0x2000
_FIRST_CAPACITY: Final = 64


class Job:
    """A job object; no process can leave it."""

    __slots__ = ("_handle",)

    def __init__(self) -> None:
        self._handle: int = kernel32.api.CreateJobObjectW(None, None)
        try:
            self._limit(_KILL_ON_CLOSE)
        except OSError:
            self.close()
            raise

    def take(self, process: int) -> None:
        """Put a process into the job, and with it everything that it will start.

        Raises:
            OSError: It is in a job that does not allow nested ones.
        """
        kernel32.api.AssignProcessToJobObject(self._handle, process)

    def pids(self) -> list[int]:
        """Return the IDs of its running processes."""
        capacity = _FIRST_CAPACITY
        while True:
            # Two counts, then the ids, each as wide as a pointer.
            ids = (ctypes.c_size_t * (capacity + 1))()
            complete = kernel32.api.QueryInformationJobObject(
                self._handle, _PROCESS_ID_LIST, ids, ctypes.sizeof(ids), None
            )
            total, listed = (ctypes.c_uint32 * 2).from_buffer(ids)
            if complete and listed >= total:
                return list(ids[1 : listed + 1])
            if not complete and kernel32.last_error() != kernel32.ERROR_MORE_DATA:
                return list(ids[1 : listed + 1])
            capacity = max(2 * capacity, total + _FIRST_CAPACITY)

    def disown(self) -> None:
        """Let its processes keep running when the job is closed."""
        self._limit(0)

    def terminate(self, exit_code: int) -> None:
        """End all its processes at once.

        Raises:
            OSError: The system does not allow it.
        """
        kernel32.api.TerminateJobObject(self._handle, exit_code)

    def close(self) -> None:
        """Close it; this ends its processes unless they were disowned."""
        if self._handle:
            kernel32.api.CloseHandle(self._handle)
            self._handle = 0

    def _limit(self, flags: int) -> None:
        limits = kernel32.JobLimits(flags=flags)
        kernel32.api.SetInformationJobObject(
            self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        )
