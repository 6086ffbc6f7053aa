"""Writes results to standard output and everything else to standard error."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from awstoe.errors import AwstoeError
from awstoe.host import streams
from awstoe.reporting.progress import printable_lines

_CONTROLS: Final = {
    code: f"\\u{code:04x}"
    for code in (
        *range(0x7F, 0xA0),
        *(0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)),
    )
}
"""Characters that JSON does not escape and that control a terminal or reverse its text."""


class Console:
    """Writes to standard output and standard error, even if they are closed or broken.

    Args:
        quiet: Whether only errors go to standard error.
        color: Whether colors are allowed. They also need a terminal, and ``NO_COLOR`` unset.
    """

    def __init__(self, *, quiet: bool = False, color: bool = True) -> None:
        self.quiet = quiet
        self.color = color and not os.environ.get("NO_COLOR")

    def is_terminal(self) -> bool:
        """Whether standard error is a terminal that can be controlled."""
        return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def width(self) -> int | None:
        """Return the columns of the terminal that is standard output; None if it is not one."""
        try:
            if sys.stdout is not None and sys.stdout.isatty():
                return os.get_terminal_size(sys.stdout.fileno()).columns or None
        except (OSError, ValueError):
            pass
        return None

    def result(self, value: Mapping[str, object] | Sequence[object]) -> None:
        """Print one JSON value on standard output."""
        text = json.dumps(value, ensure_ascii=False, indent=4)
        self.text(text.translate(_CONTROLS) + "\n")

    def text(self, text: str) -> None:
        """Print text on standard output.

        Raises:
            AwstoeError: It cannot be written. A reader that has closed the pipe is not an error.
        """
        if sys.stdout is None:
            return
        try:
            streams.make_blocking(sys.stdout.fileno())
            sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
            sys.stdout.buffer.flush()
        except OSError as error:
            _abandon(sys.stdout)
            if streams.is_broken_pipe(error):
                return
            raise AwstoeError(f"cannot write the result to standard output: {error}") from error

    def line(self, text: str) -> None:
        """Print a line on standard error, unless ``--quiet``."""
        if not self.quiet:
            self.raw(f"{_shown(text)}\n".encode())

    def error(self, error: AwstoeError) -> None:
        """Print an error and its hint on standard error."""
        text = f"awstoe: error: {error.message}\n"
        if error.hint:
            text += f"  hint: {error.hint}\n"
        self.raw(f"{_shown(text)}\n".encode())

    def problem(self, text: str, *, is_error: bool) -> None:
        """Print a problem of a document on standard error; a warning not with ``--quiet``."""
        if is_error or not self.quiet:
            self.raw(text.encode(errors="backslashreplace") + b"\n")

    def failure(self, text: str) -> None:
        """Print on standard error what failed in a run, without control characters."""
        self.raw(f"awstoe: failed: {printable_lines(text)}\n".encode(errors="backslashreplace"))

    def raw(self, data: bytes) -> None:
        """Write bytes to standard error, if it is not closed or broken."""
        if sys.stderr is None:
            return
        try:
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()
        except BlockingIOError:
            pass  # another process made the terminal non-blocking; the next write has the rest
        except OSError:
            _abandon(sys.stderr)
        except ValueError:
            pass


def _shown(text: str) -> str:
    """Return ``text`` without control characters, which must not reach the terminal."""
    return printable_lines(text.encode(errors="backslashreplace").decode())


def _abandon(stream: TextIO) -> None:
    """Keep the interpreter from flushing into a broken stream again when it exits."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass
