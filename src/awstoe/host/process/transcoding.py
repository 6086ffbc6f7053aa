"""Output of programs that may not be UTF-8, made UTF-8 at the door, line by line.

On Windows a console program writes in its console's code page, others in UTF-8, and a script calls
both. A line that is UTF-8 stays as it is; any other is decoded whole by the code page: the
chance that a line of another encoding is valid UTF-8 by accident is small.
"""

import codecs
from collections.abc import Callable
from typing import Final

LONGEST_HELD: Final = 65_536
"""Bytes of one line that are waited for. A longer line is judged in pieces."""

_ASCII: Final = bytes(range(128))


class Transcoder:
    """Turns bytes that come in pieces into UTF-8.

    ASCII is handed on at once. From the first other byte of a line on, the rest of the line is kept
    back until it is complete.

    Args:
        decode: Decodes a line that is no UTF-8.
    """

    __slots__ = ("_decode", "_held")

    def __init__(self, decode: Callable[[bytes], str]) -> None:
        self._decode = decode
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; gives what is ready, maybe nothing."""
        if not self._held and data.isascii():
            return data
        data = self._held + data
        complete = data.rfind(b"\n") + 1
        if not complete and len(data) > LONGEST_HELD:
            complete = _without_half_character(data)
        ready = self._as_utf8(data[:complete])
        rest = data[complete:]
        self._held = rest.lstrip(_ASCII)
        return ready + rest[: len(rest) - len(self._held)]

    def end(self) -> bytes:
        """What was kept back: there will be no more."""
        held, self._held = self._held, b""
        return self._as_utf8(held)

    def _as_utf8(self, data: bytes) -> bytes:
        try:
            data.decode()
        except UnicodeDecodeError:
            return b"".join(map(self._line, data.splitlines(keepends=True)))
        return data

    def _line(self, line: bytes) -> bytes:
        try:
            line.decode()
        except UnicodeDecodeError:
            return self._decode(line).encode()
        return line


def _without_half_character(data: bytes) -> int:
    """The length of ``data``, less the beginning of a character of UTF-8 that it ends with."""
    try:
        return codecs.utf_8_decode(data, "strict", False)[1]  # noqa: FBT003 - its only form
    except UnicodeDecodeError:
        return len(data)
