"""A lock the operating system releases when its holder ends: a locked byte range on Windows."""

import msvcrt
import os
import sys

from awstoe.host.files import PRIVATE_FILE, explain

assert sys.platform == "win32"


def acquire(path: str) -> int | None:
    """Lock ``path`` for this process; the descriptor to keep open, or None when it is taken.

    Raises:
        HostError: The lock file cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOINHERIT, PRIVATE_FILE)
    except OSError as error:
        raise explain(error, f"lock {path}") from error
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def remove(path: str, descriptor: int) -> None:
    """Give up the lock and remove its file, unless another process has taken it meanwhile."""
    try:
        os.close(descriptor)
        os.unlink(path)
    except OSError:
        pass
