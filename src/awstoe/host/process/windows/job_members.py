"""Windows: suspends the processes of a job, so that facts about them stay true for a while."""

import ctypes
import ntpath
import sys
from collections.abc import Iterable
from contextlib import suppress
from ctypes import wintypes
from types import TracebackType
from typing import Final, Self

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.process.windows import job as jobs

assert sys.platform == "win32"

_MAX_SCANS: Final = 20
"""Each scan finds only the processes that started during the previous one."""
_RIGHTS: Final = kernel32.PROCESS_TERMINATE | kernel32.PROCESS_SUSPEND_RESUME

_ntdll: Final = ctypes.WinDLL("ntdll")
for _function in (_ntdll.NtSuspendProcess, _ntdll.NtResumeProcess):
    _function.argtypes = [wintypes.HANDLE]


class Members:
    """The suspended processes of a job, except console hosts; a context manager.

    Args:
        job: The job.

    Attributes:
        handles: By process ID; an ID is not reused while its handle is open.
    """

    def __init__(self, job: jobs.Job) -> None:
        self._job = job
        self.handles: dict[int, int] = {}
        self._suspended: dict[int, int] = {}
        self._kept: list[int] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(_MAX_SCANS):
                if not self._suspend_others():
                    break
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Resume the processes and close their handles."""
        self.resume()
        for handle in (*self.handles.values(), *self._kept):
            kernel32.api.CloseHandle(handle)

    def keep(self, handle: int) -> None:
        """Close another handle with the others."""
        self._kept.append(handle)

    def end(self, pids: Iterable[int], exit_code: int) -> None:
        """End some of the processes."""
        for pid in pids:
            with suppress(OSError):  # it has already ended
                kernel32.api.TerminateProcess(self.handles[pid], exit_code)

    def resume(self, pids: Iterable[int] | None = None) -> None:
        """Resume these processes, or all of them."""
        for pid in tuple(self._suspended) if pids is None else pids:
            if pid in self._suspended:
                _ntdll.NtResumeProcess(self._suspended.pop(pid))

    def _suspend_others(self) -> bool:
        """Suspend the others; return whether there were any."""
        fresh: dict[int, int] = {}
        for pid in self._job.pids():
            if pid not in self.handles:
                with suppress(OSError):
                    fresh[pid] = kernel32.open_process(pid, _RIGHTS)
        members = set(self._job.pids()) if fresh else set()
        before = len(self.handles)
        for pid, handle in fresh.items():
            # Its ID may have been another process's: it is not in the job any more then.
            if pid not in members or _shows_a_console(handle):
                kernel32.api.CloseHandle(handle)
                continue
            self.handles[pid] = handle
            self._suspended[pid] = handle
            _ntdll.NtSuspendProcess(handle)
        return len(self.handles) > before


def _shows_a_console(process: int) -> bool:
    """Whether this is a console host: others need it to write and to end, so it ends last."""
    with suppress(OSError):
        return ntpath.basename(kernel32.image_name(process)).lower() == "conhost.exe"
    return False
