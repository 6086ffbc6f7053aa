"""Collects a program's output, with bounded memory regardless of what the program prints.

``OutputCapture`` keeps the beginning of standard output (the ``stdout`` output value), ``Ends`` the
beginning and the end of a stream (to explain a failure), and ``Spool`` all of standard error, which
is logged as one message when the program has ended.
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


class Ends:
    """The beginning and the end of an output, for the explanation of a failure."""

    __slots__ = ("_head", "_head_bytes", "_tail", "_tail_bytes", "_total")

    def __init__(
        self,
        head_bytes: int = limits.EXAMINED_HEAD_BYTES,
        tail_bytes: int = limits.EXAMINED_TAIL_BYTES,
    ) -> None:
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self._total += len(data)
        room = self._head_bytes - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data[-self._tail_bytes :]
        if len(self._tail) > 2 * self._tail_bytes:
            del self._tail[: -self._tail_bytes]

    @property
    def parts(self) -> tuple[bytes, ...]:
        """The whole output, or its beginning and its end if the middle was dropped."""
        if self._total <= self._head_bytes + self._tail_bytes:
            return (bytes(self._head + self._tail),)
        return (bytes(self._head), bytes(self._tail[-self._tail_bytes :]))


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
