"""Opens and reads files in places where other users may have put something else.

A named pipe would make the reader wait forever, a device may do anything when it is read, a link
may lead to a file that the other user cannot read, and a file may be larger than the memory. So a
file is opened without waiting, must then be a regular one, and is read up to a limit.
"""

import errno
import os
import stat
import sys
from io import BufferedReader
from typing import Final

from awstoe.host.files import file_types
from awstoe.limits import MIB

_FLAGS: Final = (
    getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", getattr(os, "O_NOINHERIT", 0))
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)


class NotPlainError(OSError):
    """What was opened is not a regular file."""


def open_descriptor(
    path: str, flags: int = os.O_RDONLY, *, follow_link: bool = True, pipe: bool = False
) -> int:
    """Open a regular file and return its descriptor.

    Args:
        path: The file.
        flags: As of ``os.open``.
        follow_link: Whether ``path`` itself may be a link. Links above it are always followed.
        pipe: Whether it may also be a pipe without a name, as of the shell's ``<(...)``.

    Raises:
        NotPlainError: It is something else.
        OSError: It cannot be opened.
    """
    if not follow_link and file_types.is_link(path):
        raise NotPlainError(errno.ELOOP, "it is a symbolic link", path)
    descriptor = os.open(path, flags | _FLAGS | (0 if follow_link else _NO_FOLLOW))
    kind = file_types.of_mode(os.fstat(descriptor).st_mode)
    if kind is file_types.FileType.FILE:
        return descriptor
    if pipe and kind is file_types.FileType.FIFO and not _has_name(path, descriptor):
        if sys.platform != "win32":
            os.set_blocking(descriptor, True)
        return descriptor
    os.close(descriptor)
    raise NotPlainError(errno.EINVAL, f"expected a regular file, got {kind}", path)


def _has_name(path: str, descriptor: int) -> bool:
    """Whether an open pipe is in a folder, where it may never get a writer."""
    real = os.path.realpath(path)
    try:
        info = os.lstat(real)
    except OSError:
        return False
    return stat.S_ISFIFO(info.st_mode) and os.path.samestat(info, os.fstat(descriptor))


def open_file(path: str, *, follow_link: bool = True) -> BufferedReader:
    """Open a regular file for reading.

    Raises:
        OSError: It cannot be opened, or is something else.
    """
    return open(open_descriptor(path, follow_link=follow_link), "rb")


def read(path: str, limit: int, *, follow_link: bool = True, pipe: bool = False) -> bytes:
    """Return the content of a regular file of up to ``limit`` bytes.

    Args:
        path: The file.
        limit: Its largest size.
        follow_link: Whether ``path`` itself may be a link.
        pipe: Whether it may also be a pipe without a name.

    Raises:
        OSError: It cannot be read, is something else, or is larger.
    """
    descriptor = open_descriptor(path, follow_link=follow_link, pipe=pipe)
    try:
        return read_limited(descriptor, limit, path)
    finally:
        os.close(descriptor)


def read_limited(descriptor: int, limit: int, path: str) -> bytes:
    """Return the rest of an open file, which must have up to ``limit`` bytes.

    Raises:
        OSError: It cannot be read, or is larger.
    """
    pieces = []
    left = limit + 1
    while left and (piece := os.read(descriptor, min(left, MIB))):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", path)
    return b"".join(pieces)
