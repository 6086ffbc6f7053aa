"""Writes console.log and application.log: lines with a timestamp, in order, always complete.

Both files get each message, and application.log the debug messages as well. Lines are collected and
written together; the engine calls ``flush`` before it waits for anything and after each step. A
program's output is written as it arrives: the lines of one piece share a timestamp, because they
arrived together. Methods may be called from another thread, the one that reads what a background
process prints.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from awstoe import limits
from awstoe.errors import RecordError
from awstoe.host.files.own_files import explain
from awstoe.host.files.own_folder import OwnFolder
from awstoe.host.files.utf8 import whole_characters
from awstoe.reporting.log_folder import LogFolder
from awstoe.reporting.progress import Progress

CONSOLE = "console.log"
APPLICATION = "application.log"
_FLUSH_BYTES = 256 * limits.KIB
_KEPT_BYTES = 4 * limits.MIB
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SHOWN_BYTES = 1000  # of the last line of output: wider than any window


class LogFiles:
    """The two logs of a run; implements the engine's ``RunLog``.

    Args:
        folder: The log folder of the run.
        progress: Shows the last line of output, and warnings.
        trace: Called with each block of application.log's lines, for ``--trace``.
    """

    def __init__(
        self, folder: LogFolder, progress: Progress, trace: Callable[[bytes], None] | None = None
    ) -> None:
        self._folder = folder
        self._console = folder.open_append(CONSOLE)
        self._application = folder.open_append(APPLICATION)
        folder.logs = self
        self._sizes = {
            descriptor: os.fstat(descriptor).st_size
            for descriptor in (self._console, self._application)
        }
        self._kept: dict[int, bytes] = {}
        """What could not be written yet, by descriptor."""
        self._console_lines: list[bytes] = []
        self._application_lines: list[bytes] = []
        self._buffered = 0
        self._progress = progress
        self._trace = trace
        self._lock = threading.Lock()
        self._in_line = False
        self._rest = b""
        """The start of a character whose end has not arrived yet."""
        self._late = bytearray()
        """A line of a background process whose end has not arrived yet."""
        self._second = -1
        self._prefix = ""
        self._end_torn_lines()

    def _end_torn_lines(self) -> None:
        """End the last lines of existing logs: their writer may have been killed within a line."""
        for descriptor, lines in (
            (self._console, self._console_lines),
            (self._application, self._application_lines),
        ):
            if os.lseek(descriptor, 0, os.SEEK_END):
                os.lseek(descriptor, -1, os.SEEK_END)
                if os.read(descriptor, 1) != b"\n":
                    lines.append(b"\n")

    def are_in(self, folder: OwnFolder) -> bool:
        return folder.has_open(CONSOLE, self._console) and folder.has_open(
            APPLICATION, self._application
        )

    def truncated(self) -> list[str]:
        found = []
        with self._lock:
            for name, descriptor in ((CONSOLE, self._console), (APPLICATION, self._application)):
                size = os.fstat(descriptor).st_size
                if size < self._sizes[descriptor]:
                    found.append(name)
                self._sizes[descriptor] = size
        return found

    def move_to(self, folder: OwnFolder) -> None:
        with self._lock:
            for name, descriptor in ((CONSOLE, self._console), (APPLICATION, self._application)):
                if not folder.has_open(name, descriptor):
                    folder.take_over(name, descriptor)

    def info(self, message: str) -> None:
        line = f"{self._stamp()} {message}\n".encode(errors="backslashreplace")
        with self._lock:
            self._console_lines.append(line)
            self._application_lines.append(line)
            self._buffered += len(line)
        if self._buffered > _FLUSH_BYTES:
            self.flush()

    def debug(self, message: str) -> None:
        line = f"{self._stamp()} Debug {message}\n".encode(errors="backslashreplace")
        with self._lock:
            self._application_lines.append(line)

    def debug_all(self, messages: Iterable[str]) -> None:
        """Write several debug messages with the same timestamp."""
        start = f"{self._stamp()} Debug "
        text = "".join([f"{start}{message}\n" for message in messages])
        with self._lock:
            self._application_lines.append(text.encode(errors="backslashreplace"))

    def warning(self, message: str) -> None:
        self.info(f"Warning: {message}")
        self._progress.warning(message)

    def stdout(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if not data.isascii():
            end = whole_characters(data)
            data, self._rest = data[:end], data[end:]
        if not data:
            return
        start = f"{self._stamp()} Stdout: ".encode()
        text = _valid(data)
        ends_line = text.endswith(b"\n")
        body = (text[:-1] if ends_line else text).replace(b"\n", b"\n" + start)
        with self._lock:
            pieces = [body] if self._in_line else [start, body]
            if ends_line:
                pieces.append(b"\n")
            self._in_line = not ends_line
            self._console_lines += pieces
            self._application_lines += pieces
            self._write(live=True)
        self._progress.line(_last_line(data))

    def stdout_end(self) -> None:
        rest, self._rest = self._rest, b""
        with self._lock:
            if rest and not self._in_line:
                start = f"{self._stamp()} Stdout: ".encode()
                self._console_lines.append(start)
                self._application_lines.append(start)
            if rest:
                self._console_lines.append(_valid(rest))
                self._application_lines.append(_valid(rest))
            if rest or self._in_line:
                self._in_line = False
                self._console_lines.append(b"\n")
                self._application_lines.append(b"\n")

    def live_stderr(self, data: bytes) -> None:
        self._progress.line(_last_line(data))

    def stderr(self, chunks: Iterable[bytes]) -> None:
        with self._lock:
            pieces = [f"{self._stamp()} CmdExecution: Stderr: ".encode()]
            ends_line = False
            for text in _valid_pieces(chunks):
                if ends_line:
                    pieces.append(b"\n")
                ends_line = text.endswith(b"\n")
                pieces.append(text[:-1] if ends_line else text)
                self._console_lines += pieces
                self._application_lines += pieces
                pieces = []
                self._write()
            pieces.append(b"\n")
            self._console_lines += pieces
            self._application_lines += pieces

    def late(self, data: bytes) -> None:
        with self._lock:
            self._late += data
            end = self._late.rfind(b"\n") + 1
            if not end and len(self._late) > _FLUSH_BYTES:
                end = len(self._late)
            if end:
                lines = bytes(self._late[:end])
                del self._late[:end]
                self._late_lines(lines)

    def _late_lines(self, lines: bytes) -> None:
        """Write complete lines of a background process, never inside a line of a step."""
        start = f"{self._stamp()} Stdout: ".encode()
        body = _valid(lines.removesuffix(b"\n")).replace(b"\n", b"\n" + start)
        pieces = [b"\n"] if self._in_line else []
        pieces += [start, body, b"\n"]
        self._in_line = False
        self._console_lines += pieces
        self._application_lines += pieces
        self._write(live=True)

    def flush(self) -> None:
        with self._lock:
            self._write()

    def close(self) -> None:
        """Write what is left and close the files.

        Raises:
            RecordError: They cannot be written.
        """
        self.stdout_end()
        with self._lock:
            if self._late:
                self._late_lines(bytes(self._late))
        self.flush()
        os.close(self._console)
        os.close(self._application)

    def _stamp(self) -> str:
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return f"{self._prefix}.{nanoseconds:09d}Z"

    def _write(self, *, live: bool = False) -> None:
        """Write all lines.

        Args:
            live: Whether a step is running: it may have filled the disk for a moment, as scripts do
                that make an image smaller. Then the lines are kept until the next write.

        Raises:
            RecordError: They cannot be written.
        """
        console = b"".join(self._console_lines)
        application = b"".join(self._application_lines)
        self._console_lines.clear()
        self._application_lines.clear()
        self._buffered = 0
        self._append(self._console, console, CONSOLE, live=live)
        self._append(self._application, application, APPLICATION, live=live)
        if self._trace is not None and application:
            self._trace(application)

    def _append(self, descriptor: int, data: bytes, name: str, *, live: bool) -> None:
        rest = memoryview(self._kept.pop(descriptor, b"") + data)
        try:
            while rest:
                written = os.write(descriptor, rest)
                self._sizes[descriptor] += written
                rest = rest[written:]
        except OSError as error:
            if live and error.errno in _FULL and len(rest) <= _KEPT_BYTES:
                self._kept[descriptor] = bytes(rest)
                return
            reason = explain(error, f"write the log {os.path.join(self._folder.path, name)}")
            raise RecordError(reason.message, hint=reason.hint) from error


def _valid(data: bytes) -> bytes:
    r"""Return ``data`` as valid UTF-8, with invalid bytes as ``\xNN``."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="backslashreplace").encode()
    return data


def _valid_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Return ``chunks`` as valid UTF-8, cut between characters."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        end = whole_characters(data)
        rest = data[end:]
        if end:
            yield _valid(data[:end])
    if rest:
        yield _valid(rest)


def _last_line(data: bytes) -> str:
    r"""Return the last line of ``data`` that is not empty, short enough to show.

    Progress bars end their lines with ``\r``.
    """
    tail = data[-_SHOWN_BYTES:].rstrip()
    return tail[max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1 :].decode(errors="replace")
