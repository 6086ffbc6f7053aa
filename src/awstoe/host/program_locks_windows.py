"""Locks on program files on Windows: a byte far beyond their end, so that reading goes on."""

import ctypes
import os
import sys
from typing import Final

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.files import explain

assert sys.platform == "win32"

import msvcrt  # noqa: E402 - exists here only

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


def share(path: str) -> int | None:
    """Lock ``path`` together with others; the descriptor to keep, or None when it is taken.

    Raises:
        HostError: The file cannot be locked.
    """
    return _lock(path, _FAIL_IMMEDIATELY)


def exclude(path: str) -> int | None:
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
