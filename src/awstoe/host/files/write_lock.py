"""Keeps other processes from changing a file between its check and its use (Windows only)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from awstoe.host.files import long_paths

if sys.platform == "win32":
    from awstoe.host import kernel32_windows as kernel32

    _GENERIC_READ: Final = 0x80000000
    _SHARE_READ: Final = 0x1
    _OPEN_EXISTING: Final = 3

    @contextmanager
    def deny_writes(path: str) -> Iterator[None]:
        """Let other processes read the file, but not write, rename or delete it.

        Raises:
            OSError: It cannot be opened, or a process has it open for writing.
        """
        handle = kernel32.api.CreateFileW(
            long_paths.usable(path), _GENERIC_READ, _SHARE_READ, None, _OPEN_EXISTING, 0, None
        )
        try:
            yield
        finally:
            kernel32.api.CloseHandle(handle)


else:

    @contextmanager
    def deny_writes(path: str) -> Iterator[None]:
        """Do nothing: Linux has no such lock, and only Windows actions need it."""
        del path
        yield
