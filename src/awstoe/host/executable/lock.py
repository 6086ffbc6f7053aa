"""A lock on a program's own file: shared by those who run it, exclusive for who replaces it.

The system releases it when its holder ends. It is no lock file that could be left behind, and it
goes with the file: whoever runs a file that has been replaced holds nothing up.
"""

import os
import sys
from typing import Final

from awstoe.host.files.own_files import explain

if sys.platform == "win32":
    # Locks on program files on Windows: a byte far beyond their end, so that reading goes on.
    import ctypes
    import msvcrt

    from awstoe.host import kernel32_windows as kernel32

    _FAIL_IMMEDIATELY: Final = 1
    _EXCLUSIVE: Final = 2
    _BEYOND_THE_END: Final = 0x40000000
    """Upper half of the offset: 2**62."""
    _ERROR_LOCK_VIOLATION: Final = 33

    _GENERIC_READ: Final = 0x80000000
    _SHARE_ALL: Final = 7
    """Others may read, write, rename and delete it: the lock must not stand in an update's way."""
    _OPEN_EXISTING: Final = 3

    def own_program() -> str:
        """The file that this process runs."""
        return os.path.realpath(sys.executable)

    def lock_shared(path: str) -> int | None:
        """Lock ``path`` together with others; the descriptor to keep, or None when it is taken.

        Raises:
            HostError: The file cannot be locked.
        """
        return _lock(path, _FAIL_IMMEDIATELY)

    def lock_exclusive(path: str) -> int | None:
        """Lock ``path`` for this process alone; the descriptor to keep, or None when it is taken.

        Raises:
            HostError: The file cannot be locked.
        """
        return _lock(path, _FAIL_IMMEDIATELY | _EXCLUSIVE)

    def _lock(path: str, flags: int) -> int | None:
        try:
            handle = kernel32.api.CreateFileW(
                path, _GENERIC_READ, _SHARE_ALL, None, _OPEN_EXISTING, 0, None
            )
            descriptor = msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_NOINHERIT)
        except OSError as error:
            raise explain(error, f"lock {path}") from error
        where = kernel32.Overlapped(offset_high=_BEYOND_THE_END)
        if kernel32.api.LockFileEx(handle, flags, 0, 1, 0, ctypes.byref(where)):
            return descriptor
        code = kernel32.last_error()
        os.close(descriptor)
        if code in (_ERROR_LOCK_VIOLATION, kernel32.ERROR_IO_PENDING):
            return None
        raise explain(ctypes.WinError(code), f"lock {path}")


else:
    # Locks on program files by flock, which needs no right to write: a running file has none.
    import errno
    import fcntl

    _WITHOUT_LOCKS: Final = frozenset({errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL})
    """What network file systems say that lock only files open for writing, or none at all."""

    def own_program() -> str:
        """The file that this process runs, even if another has its name by now."""
        return "/proc/self/exe"

    def lock_shared(path: str) -> int | None:
        """Lock ``path`` together with others; the descriptor to keep, or None when it is taken.

        Raises:
            HostError: The file cannot be locked.
        """
        return _lock(path, fcntl.LOCK_SH)

    def lock_exclusive(path: str) -> int | None:
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
