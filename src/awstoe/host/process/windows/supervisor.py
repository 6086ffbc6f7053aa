"""Windows: supervises one child until its job has ended.

One thread waits for both output pipes, the child's end and the event that an interruption sets.
Everything that the child starts is in its job, except programs that another process starts for it
(a service, the task scheduler, WMI).
"""

import contextlib
import os
import sys
import time

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.executable import frozen
from awstoe.host.process import supervisor
from awstoe.host.process.interruption import Interruption
from awstoe.host.process.supervisor import Sink
from awstoe.host.process.windows import pipes, spawn, terminate

assert sys.platform == "win32"


def prepare() -> None:
    """Prepare this process for child processes.

    A frozen program's bootloader puts the bundle's folder first in the search for libraries, and
    children inherit that. Remove it, and add the folder in a way that affects this process only.
    """
    bundle = frozen.bundle_folder()
    if bundle is not None:
        os.add_dll_directory(bundle)
        kernel32.api.SetDllDirectoryW(None)


def reaping_orphans() -> contextlib.AbstractContextManager[None]:
    """Do nothing: Windows keeps nothing of a process that has ended."""
    return contextlib.nullcontext()


def out_of_memory() -> bool | None:
    """Return None: Windows does not end processes for lack of memory."""
    return None


class ChildSupervisor(supervisor.ChildSupervisor[pipes.Pipe]):
    """Supervises a child by waiting for several handles at once.

    Args:
        started: The process, started in a job of its own.
        sinks: Its pipes, each with its sink. ``close`` closes them.
        deadline: The ``time.monotonic`` at which it times out, or None.
        interruption: When to stop.
    """

    def __init__(
        self,
        started: spawn.Spawned,
        sinks: dict[pipes.Pipe, Sink],
        deadline: float | None,
        interruption: Interruption,
    ) -> None:
        super().__init__(sinks, deadline, interruption)
        self._child = started

    def finish(self) -> None:
        self._child.job.disown()

    def end_tree(self) -> list[str]:
        # After the first process has exited, its ID no longer names a process group, and Windows
        # sends Ctrl-Break to every process on the console, including us.
        leads = self._child.shares_console and self.exit_code is None
        group = self._child.pid if leads else None
        left = terminate.end(
            self._child.job, group, self._keep_reading, lambda: self._interruption.hard
        )
        self._note_exit()
        self._read_rest()
        for pipe, sink in self._sinks.items():
            pipe.flush(sink)
        return supervisor.describe(left)

    def close(self) -> None:
        for pipe in self._sinks:
            pipe.close()
        self._sinks = {}
        self._child.job.close()
        kernel32.api.CloseHandle(self._child.handle)

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
