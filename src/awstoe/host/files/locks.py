"""Locks on files that the operating system releases when the process ends, even if it is killed."""

import os
import sys
from contextlib import suppress
from typing import Final

from awstoe.host.files.own_files import PRIVATE_FILE, explain

if sys.platform == "win32":
    import msvcrt

    _NOT_INHERITED = os.O_NOINHERIT

    def _lock(path: str, descriptor: int) -> bool:
        del path
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def remove(path: str, descriptor: int) -> None:
        """Release a lock and remove its file, unless another process has locked it since.

        Windows cannot remove a file that is open, so the lock is released first.
        """
        with suppress(OSError):
            os.close(descriptor)
            os.unlink(path)


else:
    import errno
    import fcntl

    WITHOUT_LOCKS: Final = frozenset(
        {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
    )
    """Of network file systems that lock only files open for writing, or no files at all."""
    _NOT_INHERITED = os.O_CLOEXEC

    def _lock(path: str, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
            doing = f"lock {path}, as its file system does not support locks"
            raise explain(error, doing) from error
        try:  # a holder that ends may have removed the file between our open and lock
            return os.path.samestat(os.stat(path), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def remove(path: str, descriptor: int) -> None:
        """Remove the file of a lock; it stays locked until the process ends."""
        del descriptor
        with suppress(OSError):
            os.unlink(path)


def acquire(path: str) -> int | None:
    """Lock ``path`` for this process.

    Returns:
        A descriptor to keep open, or None if another process holds the lock.

    Raises:
        HostError: The lock file cannot be opened or locked.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NOT_INHERITED, PRIVATE_FILE)
    except OSError as error:
        raise explain(error, f"lock {path}") from error
    locked = False
    try:
        locked = _lock(path, descriptor)
    except OSError as error:
        raise explain(error, f"lock {path}") from error
    finally:
        if not locked:
            os.close(descriptor)
    return descriptor if locked else None
