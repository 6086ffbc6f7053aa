"""console.log and application.log: lines with a time stamp, written in order, never half.

Both files get each message, application.log the debugging ones too. Lines are collected and
written together; ``flush`` hands them to the system, which the engine asks for before it waits for
anything and after each step. A program's output is written as it comes: the lines of one piece
share a time stamp, because they arrived together. Methods may be called from another thread: the
one that keeps reading what a background process prints.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from awstoe import limits
from awstoe.errors import RecordError
from awstoe.host.files.own_files import explain, open_append, write_all
from awstoe.host.files.utf8 import whole_characters
from awstoe.reporting.progress import Progress

CONSOLE = "console.log"
APPLICATION = "application.log"
_FLUSH_BYTES = 256 * limits.KIB
_SHOWN_BYTES = 1000  # of the last line of output: wider than any window


class LogFiles:
    """The two logs of a run; implements the engine's ``RunLog``.

    Args:
        folder: The run's log folder.
        viewer: Is told the last line of output, and warnings.
        trace: Called with each block of application.log's lines, for ``--trace``.
    """

    def __init__(
        self, folder: str, viewer: Progress, trace: Callable[[bytes], None] | None = None
    ) -> None:
        self._paths = (os.path.join(folder, CONSOLE), os.path.join(folder, APPLICATION))
        self._console = open_append(self._paths[0])
        self._application = open_append(self._paths[1])
        self._console_lines: list[bytes] = []
        self._application_lines: list[bytes] = []
        self._buffered = 0
        self._viewer = viewer
        self._trace = trace
        self._lock = threading.Lock()
        self._in_line = False
        self._rest = b""
        """The beginning of a character whose end has not come yet."""
        self._late = bytearray()
        """A line of a background process whose end has not come yet."""
        self._second = -1
        self._prefix = ""
        self._end_torn_lines()

    def _end_torn_lines(self) -> None:
        """A log that goes on may end in the middle of a line: its writer was killed."""
        for path, lines in zip(
            self._paths, (self._console_lines, self._application_lines), strict=True
        ):
            if os.path.getsize(path):
                with open(path, "rb") as file:
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        lines.append(b"\n")

    def info(self, message: str) -> None:
        """See ``StepLog``."""
        line = f"{self._stamp()} {message}\n".encode(errors="backslashreplace")
        with self._lock:
            self._console_lines.append(line)
            self._application_lines.append(line)
            self._buffered += len(line)
        if self._buffered > _FLUSH_BYTES:
            self.flush()

    def debug(self, message: str) -> None:
        """See ``StepLog``."""
        line = f"{self._stamp()} Debug {message}\n".encode(errors="backslashreplace")
        with self._lock:
            self._application_lines.append(line)

    def debug_all(self, messages: Iterable[str]) -> None:
        """Several messages that belong to one moment."""
        start = f"{self._stamp()} Debug "
        text = "".join([f"{start}{message}\n" for message in messages])
        with self._lock:
            self._application_lines.append(text.encode(errors="backslashreplace"))

    def warning(self, message: str) -> None:
        """See ``StepLog``."""
        self.info(f"Warning: {message}")
        self._viewer.warning(message)

    def stdout(self, data: bytes) -> None:
        """See ``StepLog``."""
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
            self._write()
        self._viewer.line(_last_line(data))

    def stdout_end(self) -> None:
        """See ``StepLog``."""
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
        """See ``StepLog``."""
        self._viewer.line(_last_line(data))

    def stderr(self, chunks: Iterable[bytes]) -> None:
        """See ``RunLog``."""
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
        """See ``RunLog``."""
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
        """Whole lines of a background process, which may not end up inside a line of a step."""
        start = f"{self._stamp()} Stdout: ".encode()
        body = _valid(lines.removesuffix(b"\n")).replace(b"\n", b"\n" + start)
        pieces = [b"\n"] if self._in_line else []
        pieces += [start, body, b"\n"]
        self._in_line = False
        self._console_lines += pieces
        self._application_lines += pieces
        self._write()

    def flush(self) -> None:
        """See ``RunLog``."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Write the rest and close the files.

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

    def _write(self) -> None:
        console = b"".join(self._console_lines)
        application = b"".join(self._application_lines)
        self._console_lines.clear()
        self._application_lines.clear()
        self._buffered = 0
        if console:
            _append(self._console, console, self._paths[0])
        if application:
            _append(self._application, application, self._paths[1])
        if self._trace is not None and application:
            self._trace(application)


def _append(descriptor: int, data: bytes, path: str) -> None:
    try:
        write_all(descriptor, data)
    except OSError as error:
        reason = explain(error, f"write the log {path}")
        raise RecordError(reason.message, hint=reason.hint) from error


def _valid(data: bytes) -> bytes:
    r"""``data`` as valid UTF-8: what is none of it is written as ``\xNN``."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="backslashreplace").encode()
    return data


def _valid_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """``chunks`` as valid UTF-8, cut between characters."""
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
    r"""The last line of ``data`` that has something in it, short enough to show.

    Progress bars end their lines with ``\r``.
    """
    tail = data[-_SHOWN_BYTES:].rstrip()
    return tail[max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1 :].decode(errors="replace")
