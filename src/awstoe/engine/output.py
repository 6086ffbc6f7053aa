"""Collects a program's output, with bounded memory regardless of what the program prints.

``OutputCapture`` keeps the beginning of standard output (the ``stdout`` output value), ``Tail`` the
end of standard error (for the failure message), and ``Spool`` all of standard error, which is
logged as one message when the program has ended.
"""

import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import BinaryIO, Final, Self

from awstoe import limits
from awstoe.errors import HostError
from awstoe.host.files import temporary
from awstoe.host.files.utf8 import whole_characters

_LONGEST_LINE_END: Final = len("\r\n")


def decode(data: bytes | bytearray) -> str:
    r"""Return ``data`` as text, with bytes that are not UTF-8 in hexadecimal, as in ``\xff``."""
    return data.decode("utf-8", "backslashreplace")


class OutputCapture:
    """The first ``limit`` bytes of an output."""

    __slots__ = ("_kept", "_limit", "_total")

    def __init__(self, limit: int = limits.OUTPUT_VALUE_BYTES) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._total = 0

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self._total += len(data)
        # Room for a final line end, which is not part of the value.
        room = self._limit + _LONGEST_LINE_END - len(self._kept)
        if room > 0:
            self._kept += data[:room]

    @property
    def truncated(self) -> bool:
        """Whether the value is shorter than the output."""
        return self._total > len(self._kept) or len(self._value()) > self._limit

    @property
    def text(self) -> str:
        """The kept part, without a final line end, cut between two characters."""
        value = self._value()
        if not self.truncated:
            return decode(value)
        kept = value[: self._limit]
        return decode(kept[: whole_characters(kept)])

    def _value(self) -> bytearray:
        """Return what is kept, without the final line end of the output."""
        if self._total > len(self._kept):
            return self._kept
        for line_end in (os.linesep.encode(), b"\n"):
            if self._kept.endswith(line_end):
                return self._kept[: -len(line_end)]
        return self._kept


class Tail:
    """The last lines of an output, up to ``max_bytes``."""

    __slots__ = ("_kept", "_max_bytes", "_max_lines")

    def __init__(
        self,
        max_lines: int = limits.STDERR_TAIL_LINES,
        max_bytes: int = limits.STDERR_TAIL_BYTES,
    ) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._kept = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self._kept += data[-self._max_bytes :]
        if len(self._kept) > 2 * self._max_bytes:
            del self._kept[: -self._max_bytes]

    @property
    def text(self) -> str:
        """The last lines, without the final line end."""
        lines = decode(self._kept[-self._max_bytes :]).rstrip("\r\n").split("\n")
        return "\n".join(lines[-self._max_lines :])


class Spool:
    """A whole output that can be read once: in memory while small, then in a file.

    A context manager that closes the spool.

    Args:
        memory: The number of bytes to keep in memory.
        open_file: Returns a new file for reading and writing that is removed when closed.
    """

    __slots__ = ("_file", "_memory", "_open_file", "_pieces", "size")

    def __init__(
        self,
        memory: int = limits.SPOOL_MEMORY_BYTES,
        open_file: Callable[[], BinaryIO] = temporary.unnamed_file,
    ) -> None:
        self.size = 0
        self._open_file = open_file
        self._memory = memory
        self._pieces = bytearray()
        self._file: BinaryIO | None = None

    def feed(self, data: bytes) -> None:
        """Take the next piece.

        Raises:
            HostError: The file cannot be created or written.
        """
        self.size += len(data)
        if self._file is None:
            self._pieces += data
            if self.size <= self._memory:
                return
            self._file = self._open_file()
            data, self._pieces = bytes(self._pieces), bytearray()
        try:
            self._file.write(data)
        except OSError as error:
            raise _full(error) from error

    def chunks(self, size: int = limits.READ_CHUNK_BYTES) -> Iterator[bytes]:
        """Return the output in pieces of up to ``size`` bytes.

        Raises:
            HostError: The file cannot be completed because the disk is full.
        """
        if self._file is None:
            for start in range(0, len(self._pieces), size):
                yield bytes(self._pieces[start : start + size])
            return
        try:
            self._file.seek(0)
        except OSError as error:
            raise _full(error) from error
        while piece := self._file.read(size):
            yield piece

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the output and remove the file."""
        self._pieces = bytearray()
        if self._file is not None:
            self._file.close()
            self._file = None


def _full(error: OSError) -> HostError:
    return HostError(
        f"Cannot keep the standard error of the program in a temporary file: {error.strerror}.",
        hint=f"Free some space, or set {temporary.VARIABLE} to a folder on another disk.",
    )
