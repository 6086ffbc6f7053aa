"""A lock on an executable: shared by the processes that run it, exclusive for its replacement.

The system releases it when its holder ends. There is no lock file that could be left behind. The
lock belongs to the file, not to its path: a process that runs the replaced file blocks no update.
"""

import os
import sys
from typing import Final

from awstoe.host.files.own_files import explain

if sys.platform == "win32":
    import ctypes
    import msvcrt

    from awstoe.host import kernel32_windows as kernel32

    _FAIL_IMMEDIATELY: Final = 1
    _EXCLUSIVE: Final = 2
    _BEYOND_THE_END: Final = 0x40000000
    """Upper half of the offset of the locked byte, 2**62: a locked byte cannot be read."""
    _ERROR_LOCK_VIOLATION: Final = 33

    _GENERIC_READ: Final = 0x80000000
    _SHARE_ALL: Final = 7
    """Others may read, write, rename and delete it, as an update does."""
    _OPEN_EXISTING: Final = 3

    def own_executable() -> str:
        """Return the path of the file that this process runs."""
        return os.path.realpath(sys.executable)

    def _lock(path: str, *, exclusive: bool) -> int | None:
        flags = _FAIL_IMMEDIATELY | (_EXCLUSIVE if exclusive else 0)
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
    import fcntl

    from awstoe.host.files.locks import WITHOUT_LOCKS

    def own_executable() -> str:
        """Return a path of the file that this process runs, even if its name has been reused."""
        return "/proc/self/exe"

    def _lock(path: str, *, exclusive: bool) -> int | None:
        while (descriptor := _flock(path, exclusive=exclusive)) is not None and exclusive:
            # Another file may have replaced it since it was opened: lock that one instead.
            try:
                if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                    break
            except OSError as error:
                os.close(descriptor)
                raise explain(error, f"lock {path}") from error
            os.close(descriptor)
        return descriptor

    def _flock(path: str, *, exclusive: bool) -> int | None:
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        descriptor = -1
        try:
            # Linux does not open a running file for writing; flock does not need it.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            if descriptor >= 0:
                os.close(descriptor)
            doing = f"lock {path}"
            if error.errno in WITHOUT_LOCKS:
                doing += ", as its file system does not support locks"
            raise explain(error, doing) from error
        return descriptor


def lock_shared(path: str) -> int | None:
    """Lock ``path`` together with other processes.

    Returns:
        A descriptor to keep open, or None if another process holds an exclusive lock.

    Raises:
        HostError: The file cannot be locked.
    """
    return _lock(path, exclusive=False)


def lock_exclusive(path: str) -> int | None:
    """Lock ``path`` for this process alone.

    Returns:
        A descriptor to keep open, or None if another process holds a lock.

    Raises:
        HostError: The file cannot be locked.
    """
    return _lock(path, exclusive=True)
