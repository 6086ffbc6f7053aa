"""Locks on files that the operating system releases when the process ends, even if it is killed."""

import os
import stat
import sys
from collections.abc import Callable
from typing import Final

from awstoe.errors import HostError
from awstoe.host.files.own_files import PRIVATE_FILE, explain

if sys.platform == "win32":
    import msvcrt

    _FLAGS = os.O_NOINHERIT

    def _lock(path: str, descriptor: int, is_same: Callable[[], bool]) -> bool:
        del path, is_same
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True


else:
    import errno
    import fcntl

    WITHOUT_LOCKS: Final = frozenset(
        {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
    )
    """Of network file systems that lock only files open for writing, or no files at all."""
    _FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

    def _lock(path: str, descriptor: int, is_same: Callable[[], bool]) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
            doing = f"lock {path}, as its file system does not support locks"
            raise explain(error, doing) from error
        # A holder that ends may have removed the file between our open and lock.
        return is_same()


def acquire(path: str) -> int | None:
    """Lock ``path`` for this process.

    Returns:
        A descriptor to keep open, or None if another process holds the lock.

    Raises:
        HostError: The lock file cannot be opened or locked.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, PRIVATE_FILE)
    except OSError as error:
        raise explain(error, f"lock {path}") from error

    def is_same() -> bool:
        try:
            return os.path.samestat(os.lstat(path), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    return take(path, descriptor, is_same)


def take(path: str, descriptor: int, is_same: Callable[[], bool]) -> int | None:
    """Lock an open file; close it if that is impossible.

    Args:
        path: Its path, for messages.
        descriptor: The file.
        is_same: Whether the path still leads to the file.

    Returns:
        The descriptor, or None if another process holds the lock.

    Raises:
        HostError: It cannot be locked.
    """
    locked = False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise HostError(f"cannot lock {path}: it is not a regular file", hint="remove it")
        locked = _lock(path, descriptor, is_same)
    except OSError as error:
        raise explain(error, f"lock {path}") from error
    finally:
        if not locked:
            os.close(descriptor)
    return descriptor if locked else None
