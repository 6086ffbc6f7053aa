"""Windows: the pipes of child processes, and threads that read pipes of background processes.

Windows cannot wait for anonymous pipes together with other handles, so these are named pipes with
unpredictable names. One read is always pending; its event is set when there is data, or when the
last writer has closed the pipe.

A background process that a successful step left may keep the step's output pipe. Such pipes are
read until ``Drain.end``, for the reason that ``linux.pipes`` describes.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterable
from ctypes import wintypes
from typing import Final

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.process.supervisor import Sink, discard
from awstoe.host.process.transcoding import Transcoder
from awstoe.host.process.windows import code_pages

assert sys.platform == "win32"

_BYTES: Final = 65_536
_READS_AT_ONCE: Final = 64
_ACCESS_INBOUND: Final = 0x1
_FIRST_INSTANCE: Final = 0x00080000
_OVERLAPPED: Final = 0x40000000
_REJECT_REMOTE_CLIENTS: Final = 0x8
_GENERIC_WRITE: Final = 0x40000000
_OPEN_EXISTING: Final = 3
_JOIN_SECONDS: Final = 1.0


class Pipe:
    """The reading end of a child's output, as UTF-8.

    Attributes:
        writer: The handle for the child, closed by ``close_writer``.
        event: Set when ``read`` has something to do.
    """

    __slots__ = ("_buffer", "_handle", "_overlapped", "_transcoder", "event", "writer")

    def __init__(self) -> None:
        self._transcoder = Transcoder(code_pages.decode)
        name = rf"\\.\pipe\awstoe-{os.urandom(16).hex()}"
        self._handle: int = kernel32.api.CreateNamedPipeW(
            name,
            _ACCESS_INBOUND | _FIRST_INSTANCE | _OVERLAPPED,
            _REJECT_REMOTE_CLIENTS,
            1,
            0,
            _BYTES,
            0,
            None,
        )
        try:
            self.writer: int = kernel32.api.CreateFileW(
                name,
                _GENERIC_WRITE,
                0,
                ctypes.byref(kernel32.inheritable()),
                _OPEN_EXISTING,
                0,
                None,
            )
        except OSError:
            kernel32.api.CloseHandle(self._handle)
            raise
        self.event = kernel32.event()
        self._buffer = ctypes.create_string_buffer(_BYTES)
        self._overlapped: kernel32.Overlapped | None = None

    def close_writer(self) -> None:
        """Close our writing end; the pipe ends once all copies of it are closed."""
        if self.writer:
            kernel32.api.CloseHandle(self.writer)
            self.writer = 0

    def begin(self) -> None:
        """Start a read."""
        self._overlapped = kernel32.Overlapped(event=self.event)
        if not kernel32.api.ReadFile(
            self._handle, self._buffer, _BYTES, None, ctypes.byref(self._overlapped)
        ):
            error = kernel32.last_error()
            if error == kernel32.ERROR_BROKEN_PIPE:
                self._overlapped = None
                kernel32.api.SetEvent(self.event)
            elif error != kernel32.ERROR_IO_PENDING:
                self._overlapped = None
                raise ctypes.WinError(error)

    def read(self) -> bytes | None:
        """Return the data of the pending read: empty if there is none yet, None at the end."""
        if self._overlapped is None:
            return None
        count = wintypes.DWORD()
        try:
            kernel32.api.GetOverlappedResult(
                self._handle, ctypes.byref(self._overlapped), ctypes.byref(count), False
            )
        except OSError as error:
            if error.winerror == kernel32.ERROR_IO_INCOMPLETE:
                return b""
            self._overlapped = None
            kernel32.api.SetEvent(self.event)
            if error.winerror == kernel32.ERROR_BROKEN_PIPE:
                return None
            raise
        data = ctypes.string_at(self._buffer, count.value)
        self.begin()
        return data

    def pass_on(self, sink: Sink) -> bool:
        """Pass data to ``sink``; return False at the end of the pipe.

        The amount is limited: a child that floods its output must not delay everything else.
        """
        for _ in range(_READS_AT_ONCE):
            data = self.read()
            if data is None:
                self.flush(sink)
                return False
            if not data:
                return True
            if data := self._transcoder.feed(data):
                sink(data)
        return True

    def flush(self, sink: Sink) -> None:
        """Pass on the last, incomplete line."""
        if data := self._transcoder.end():
            sink(data)

    def close(self) -> None:
        """Close the pipe; the next write to it fails."""
        self.close_writer()
        if self._overlapped is not None:
            kernel32.api.CancelIoEx(self._handle, None)
            try:
                # The buffer belongs to the read until that has ended.
                kernel32.api.GetOverlappedResult(
                    self._handle,
                    ctypes.byref(self._overlapped),
                    ctypes.byref(wintypes.DWORD()),
                    True,
                )
            except OSError:
                pass
            self._overlapped = None
        if self._handle:
            kernel32.api.CloseHandle(self._handle)
            kernel32.api.CloseHandle(self.event)
            self._handle = self.event = 0


class Drain:
    """Threads that read held-open pipes, one each: one wait accepts up to 64 handles."""

    __slots__ = ("_over", "_threads")

    def __init__(self) -> None:
        self._over = kernel32.event()
        self._threads: list[threading.Thread] = []

    def take(self, pipes: Iterable[Pipe], sink: Sink) -> None:
        """Read these pipes from now on and close them at their end; ``sink`` receives the data.

        ``sink`` is called in other threads. After an error of it, data is discarded.
        """
        for pipe in pipes:
            thread = threading.Thread(
                target=self._work, args=(pipe, sink), name="drain", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        """Read what the pipes hold, close them and stop the threads."""
        kernel32.api.SetEvent(self._over)
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)
        if not any(thread.is_alive() for thread in self._threads):
            kernel32.api.CloseHandle(self._over)

    def _work(self, pipe: Pipe, sink: Sink) -> None:
        def guarded(data: bytes) -> None:
            nonlocal sink
            try:
                sink(data)
            except Exception:  # noqa: BLE001 - the pipe has to be read in any case
                sink = discard

        while not kernel32.is_set(self._over):
            kernel32.wait_for_any([pipe.event, self._over], None)
            if not pipe.pass_on(guarded):
                break
        pipe.flush(guarded)
        pipe.close()
