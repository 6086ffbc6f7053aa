"""Linux: the pipes of child processes, and a thread that reads pipes of background processes.

A background process that a successful step left may keep the step's output pipe. If the pipe were
closed, its next write would end it; if the pipe were not read, it would block once the pipe is
full. So one thread keeps reading such pipes until ``end``, which is called when the run ends.
"""

import contextlib
import fcntl
import os
import select
import sys
import threading
from collections.abc import Iterable
from typing import Final

from awstoe import limits
from awstoe.host.process.supervisor import Sink, discard

assert sys.platform == "linux"

_F_SETPIPE_SZ: Final = 1031
_JOIN_SECONDS: Final = 1.0


def open_pipe() -> tuple[int, int]:
    """Open a pipe whose reading end does not block, with room for one whole read if possible."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    # Without privileges, a user's pipes have a common limit: then the default size has to do.
    with contextlib.suppress(OSError):
        fcntl.fcntl(reader, _F_SETPIPE_SZ, limits.READ_CHUNK_BYTES)
    return reader, writer


class Drain:
    """A thread that reads held-open pipes; it starts with the first one."""

    __slots__ = ("_arrivals", "_ending", "_thread", "_wake_read", "_wake_write")

    def __init__(self) -> None:
        self._arrivals: list[tuple[int, Sink]] = []
        self._ending = False
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._work, name="drain", daemon=True)
        self._thread.start()

    def take(self, descriptors: Iterable[int], sink: Sink) -> None:
        """Read these pipes from now on and close them at their end; ``sink`` receives the data.

        ``sink`` is called in another thread. After an error of it, data is discarded.
        """
        self._arrivals += [(descriptor, sink) for descriptor in descriptors]
        os.write(self._wake_write, b"+")

    def end(self) -> None:
        """Read what the pipes hold, close them and stop the thread."""
        self._ending = True
        os.write(self._wake_write, b"-")
        self._thread.join(_JOIN_SECONDS)
        if not self._thread.is_alive():
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _work(self) -> None:
        poller = select.poll()
        poller.register(self._wake_read, select.POLLIN)
        sinks: dict[int, Sink] = {}
        while not self._ending:
            for descriptor, _ in poller.poll():
                if descriptor == self._wake_read:
                    os.read(descriptor, 4096)
                    while self._arrivals:
                        arrived, sink = self._arrivals.pop()
                        sinks[arrived] = sink
                        poller.register(arrived, select.POLLIN)
                elif not _pass_on(descriptor, sinks):
                    poller.unregister(descriptor)
                    os.close(descriptor)
                    del sinks[descriptor]
        for descriptor in sinks:
            _pass_on(descriptor, sinks)
            os.close(descriptor)


def _pass_on(descriptor: int, sinks: dict[int, Sink]) -> bool:
    """Pass one chunk to its sink; return False at the end of the pipe."""
    try:
        data = os.read(descriptor, limits.READ_CHUNK_BYTES)
    except BlockingIOError:
        return True
    if not data:
        return False
    try:
        sinks[descriptor](data)
    except Exception:  # noqa: BLE001 - the pipe has to be read in any case
        sinks[descriptor] = discard
    return True
