"""Windows: the processes of a job, stopped in their tracks so that what is found out stays true."""

import ctypes
import sys
from collections.abc import Iterable
from contextlib import suppress
from ctypes import wintypes
from types import TracebackType
from typing import Final, Self

from awstoe.host import jobs_windows as jobs
from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"

_MOST_LOOKS: Final = 20
"""Each time there are only those whose beginning the last look has just missed."""
_RIGHTS: Final = kernel32.PROCESS_TERMINATE | kernel32.PROCESS_SUSPEND_RESUME

_ntdll: Final = ctypes.WinDLL("ntdll")
for _function in (_ntdll.NtSuspendProcess, _ntdll.NtResumeProcess):
    _function.argtypes = [wintypes.HANDLE]


class Members:
    """All processes of a job that we have a right to end, suspended; a context manager.

    Args:
        job: The job.

    Attributes:
        handles: Of each process, by its id, which is no other's while the handle is open.
    """

    def __init__(self, job: jobs.Job) -> None:
        self._job = job
        self.handles: dict[int, int] = {}
        self._suspended: list[int] = []
        self._kept: list[int] = []

    def __enter__(self) -> Self:
        for _ in range(_MOST_LOOKS):
            if not self._suspend_others():
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.resume()
        for handle in (*self.handles.values(), *self._kept):
            kernel32.api.CloseHandle(handle)

    def keep(self, handle: int) -> None:
        """Close another handle at the end, too."""
        self._kept.append(handle)

    def end(self, pids: Iterable[int], exit_code: int) -> None:
        """End some of them."""
        for pid in pids:
            try:
                kernel32.api.TerminateProcess(self.handles[pid], exit_code)
            except OSError:  # it has ended
                continue

    def resume(self) -> None:
        """Let them go on."""
        while self._suspended:
            _ntdll.NtResumeProcess(self._suspended.pop())

    def _suspend_others(self) -> bool:
        """Suspend those that are not yet; whether there were any."""
        fresh: dict[int, int] = {}
        for pid in self._job.pids():
            if pid not in self.handles:
                with suppress(OSError):
                    fresh[pid] = kernel32.open_process(pid, _RIGHTS)
        members = set(self._job.pids()) if fresh else set()
        for pid, handle in fresh.items():
            if pid in members:
                self.handles[pid] = handle
                _ntdll.NtSuspendProcess(handle)
                self._suspended.append(handle)
            else:  # it has ended, and its id may have been another's already
                kernel32.api.CloseHandle(handle)
        return not members.isdisjoint(fresh)
