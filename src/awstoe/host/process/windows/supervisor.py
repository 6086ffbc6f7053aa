"""Windows: attends one child from its start to the end of its job.

One thread, which waits for both output pipes, the child's end and the event that an interruption
sets. All that the child starts is in its job; a program that another one starts for it (a service,
the task scheduler, WMI) is not.
"""

import os
import sys
import time

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.executable import frozen
from awstoe.host.process import supervisor
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.supervisor import Sink
from awstoe.host.process.windows import pipes
from awstoe.host.process.windows import spawn as starting
from awstoe.host.process.windows import terminate as ending

assert sys.platform == "win32"

_ONE_HOUR = 3600.0


def prepare() -> None:
    """Make this process fit for having children; cheap enough to call once a run.

    A frozen program's boot loader has the libraries of the bundle looked for first, and a child
    would inherit that. We ourselves go on finding them, by a way of this process alone.
    """
    bundle = frozen.bundle_folder()
    if bundle is not None:
        os.add_dll_directory(bundle)
        kernel32.api.SetDllDirectoryW(None)


class ChildSupervisor(supervisor.ChildSupervisor[pipes.Pipe]):
    """Attends a child by waiting for several handles at once.

    Args:
        started: The process, just started in a job of its own.
        sinks: Its pipes, and who gets the data. They are closed by ``close``.
        deadline: The ``time.monotonic`` at which its time is over, or None.
        interruption: Says when to stop.
    """

    def __init__(
        self,
        started: starting.Spawned,
        sinks: dict[pipes.Pipe, Sink],
        deadline: float | None,
        interruption: Interruption,
    ) -> None:
        super().__init__(sinks, deadline, interruption)
        self._child = started

    def finish(self) -> None:
        """See ``attendance.ChildSupervisor``."""
        self._child.job.spare()

    def end_tree(self) -> list[str]:
        """See ``attendance.ChildSupervisor``."""
        # Once the first process has ended, the system may take its number for that of no group and
        # tell everybody on the console instead, us too.
        leads = self._child.shares_console and self.exit_code is None
        group = self._child.pid if leads else None
        left = ending.end(self._child.job, group, self._pause, lambda: self._interruption.hard)
        self._note_exit()
        self._read_rest()
        for pipe, sink in self._sinks.items():
            pipe.flush(sink)
        return supervisor.describe(left)

    def close(self) -> None:
        """See ``attendance.ChildSupervisor``."""
        for pipe in self._sinks:
            pipe.close()
        self._sinks = {}
        self._child.job.close()
        kernel32.api.CloseHandle(self._child.handle)

    def _housekeeping(self, now: float) -> float:
        del now
        return _ONE_HOUR

    def _poll(self, seconds: float) -> None:
        handles = [pipe.event for pipe in self._sinks]
        if self.exit_code is None:
            handles.append(self._child.handle)
        if self._interruption.fileno() != -1:
            handles.append(self._interruption.fileno())
        if handles:
            kernel32.wait_for_any(handles, max(0.0, seconds))
            self._interruption.clear()
        else:
            time.sleep(max(0.0, seconds))
        for pipe in list(self._sinks):
            if kernel32.is_set(pipe.event):
                self._read(pipe)
        if self.exit_code is None:
            self._note_exit()

    def _note_exit(self) -> None:
        if kernel32.is_set(self._child.handle):
            self.exit_code = kernel32.exit_code(self._child.handle)

    def _read(self, pipe: pipes.Pipe) -> None:
        if not pipe.pass_on(self._sinks[pipe]):
            pipe.close()
            del self._sinks[pipe]
