"""Locks on program files by flock, which needs no right to write: a running file has none."""

import errno
import fcntl
import os
import sys
from typing import Final

from awstoe.host.files import explain

assert sys.platform == "linux"

_WITHOUT_LOCKS: Final = frozenset({errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL})
"""What network file systems say that lock only files open for writing, or none at all."""


def own_program() -> str:
    """The file that this process runs, even if another has its name by now."""
    return "/proc/self/exe"


def share(path: str) -> int | None:
    """Lock ``path`` together with others; the descriptor to keep, or None when it is taken.

    Raises:
        HostError: The file cannot be locked.
    """
    return _lock(path, fcntl.LOCK_SH)


def exclude(path: str) -> int | None:
    """Lock ``path`` for this process alone; the descriptor to keep, or None when it is taken.

    A file that took the path's place meanwhile is locked instead.

    Raises:
        HostError: The file cannot be locked.
    """
    while (descriptor := _lock(path, fcntl.LOCK_EX)) is not None:
        try:
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                break
        except OSError as error:
            os.close(descriptor)
            raise explain(error, f"lock {path}") from error
        os.close(descriptor)
    return descriptor


def _lock(path: str, kind: int) -> int | None:
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        doing = f"lock {path}"
        if error.errno in _WITHOUT_LOCKS:
            doing += ", as its file system offers no such locks"
        raise explain(error, doing) from error
    return descriptor
