"""Linux: the pipes of child processes, and the thread that reads those nobody waits for any more.

A background process that a successful step left behind may keep the step's output pipe. Were the
pipe closed, its next write would end it; were it not read, it would stand still once the pipe is
full. So one thread goes on reading such pipes until ``end``, which the end of the run calls.
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
    """A pipe whose reading end does not block, as large as the system allows up to one read."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    # Without privileges there is a limit for all pipes of a user: the normal size does as well.
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
        """Read these pipes from now on, and close them at their end; ``sink`` gets the data.

        ``sink`` is called in another thread. When it raises, later data is discarded.
        """
        self._arrivals += [(descriptor, sink) for descriptor in descriptors]
        os.write(self._wake_write, b"+")

    def end(self) -> None:
        """Read what is there, close the pipes and stop the thread."""
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
    """Hand one chunk to its sink; False at the end of the pipe."""
    try:
        data = os.read(descriptor, limits.READ_CHUNK_BYTES)
    except BlockingIOError:
        return True
    if not data:
        return False
    try:
        sinks[descriptor](data)
    except Exception:  # noqa: BLE001 - whatever failed, the pipe has to be read
        sinks[descriptor] = discard
    return True
