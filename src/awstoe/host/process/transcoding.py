"""Converts the output of programs to UTF-8, line by line.

On Windows a console program writes in its console's code page, others in UTF-8, and a script calls
both. A line that is UTF-8 stays as it is. Any other line is decoded by the code page as a whole: a
line in another encoding is rarely valid UTF-8 by accident.
"""

import codecs
from collections.abc import Callable
from typing import Final

LONGEST_HELD: Final = 65_536
"""How many bytes of an incomplete line are held back. A longer line is converted in pieces."""

_ASCII: Final = bytes(range(128))


class Transcoder:
    """Converts bytes that arrive in pieces to UTF-8.

    ASCII is passed on at once. From the first other byte on, a line is held back until it is
    complete.

    Args:
        decode: Decodes a line that is not UTF-8.
    """

    __slots__ = ("_decode", "_held")

    def __init__(self, decode: Callable[[bytes], str]) -> None:
        self._decode = decode
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what is ready, which may be empty."""
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
        """Return what was held back, at the end of the output."""
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
    """Return the length of ``data`` without an incomplete UTF-8 character at its end."""
    try:
        return codecs.utf_8_decode(data, "strict", False)[1]  # noqa: FBT003 - its only form
    except UnicodeDecodeError:
        return len(data)
