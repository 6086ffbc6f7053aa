"""Windows: the processes of a job, stopped in their tracks so that what is found out stays true."""

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

_MOST_LOOKS: Final = 20
"""Each time there are only those whose beginning the last look has just missed."""
_RIGHTS: Final = kernel32.PROCESS_TERMINATE | kernel32.PROCESS_SUSPEND_RESUME

_ntdll: Final = ctypes.WinDLL("ntdll")
for _function in (_ntdll.NtSuspendProcess, _ntdll.NtResumeProcess):
    _function.argtypes = [wintypes.HANDLE]


class Members:
    """The processes of a job, suspended, but for those that show a console; a context manager.

    Args:
        job: The job.

    Attributes:
        handles: Of each process, by its id, which is no other's while the handle is open.
    """

    def __init__(self, job: jobs.Job) -> None:
        self._job = job
        self.handles: dict[int, int] = {}
        self._suspended: dict[int, int] = {}
        self._kept: list[int] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(_MOST_LOOKS):
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
        """Let them go on, and close their handles."""
        self.resume()
        for handle in (*self.handles.values(), *self._kept):
            kernel32.api.CloseHandle(handle)

    def keep(self, handle: int) -> None:
        """Close another handle at the end, too."""
        self._kept.append(handle)

    def end(self, pids: Iterable[int], exit_code: int) -> None:
        """End some of them."""
        for pid in pids:
            with suppress(OSError):  # it has ended
                kernel32.api.TerminateProcess(self.handles[pid], exit_code)

    def resume(self, pids: Iterable[int] | None = None) -> None:
        """Let some of them go on; all if none are named."""
        for pid in tuple(self._suspended) if pids is None else pids:
            if pid in self._suspended:
                _ntdll.NtResumeProcess(self._suspended.pop(pid))

    def _suspend_others(self) -> bool:
        """Suspend those that are not yet; whether there were any."""
        fresh: dict[int, int] = {}
        for pid in self._job.pids():
            if pid not in self.handles:
                with suppress(OSError):
                    fresh[pid] = kernel32.open_process(pid, _RIGHTS)
        members = set(self._job.pids()) if fresh else set()
        before = len(self.handles)
        for pid, handle in fresh.items():
            # One that has ended since: its id may have been another's already.
            if pid not in members or _shows_a_console(handle):
                kernel32.api.CloseHandle(handle)
                continue
            self.handles[pid] = handle
            self._suspended[pid] = handle
            _ntdll.NtSuspendProcess(handle)
        return len(self.handles) > before


def _shows_a_console(process: int) -> bool:
    """Whether others cannot write, or end well, without this process: it ends with its job only."""
    with suppress(OSError):
        return ntpath.basename(kernel32.image_name(process)).lower() == "conhost.exe"
    return False
