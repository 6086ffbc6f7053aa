"""A lock on a file that the operating system releases when its holder ends, however it ends."""

import os
import sys

from awstoe.host.files.own_files import PRIVATE_FILE, explain

if sys.platform == "win32":
    # A lock the operating system releases when its holder ends: a locked byte range on Windows.
    import msvcrt

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


else:
    # A lock the operating system releases when its holder ends, however it ends.
    import fcntl

    def acquire(path: str) -> int | None:
        """Lock ``path`` for this process; the descriptor to keep open, or None when it is taken.

        Raises:
            HostError: The lock file cannot be opened.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise explain(error, f"lock {path}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if not _still_there(path, descriptor):
            os.close(descriptor)
            return None
        return descriptor

    def _still_there(path: str, descriptor: int) -> bool:
        """Whether ``path`` is what was locked: a holder that ends may remove it in between."""
        try:
            return os.path.samestat(os.stat(path), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def remove(path: str, descriptor: int) -> None:
        """Remove the lock file; it stays locked until the process ends."""
        del descriptor
        try:
            os.unlink(path)
        except OSError:
            pass
