"""A file that stays what it is while it is looked at and then used."""

import sys
from collections.abc import Iterator
from typing import Final

from awstoe.host.files import long_paths

if sys.platform == "win32":
    # Windows: whoever has a file open says what others may do with it meanwhile.
    from contextlib import contextmanager

    from awstoe.host import kernel32_windows as kernel32

    _GENERIC_READ: Final = 0x80000000
    _SHARE_READ: Final = 0x1
    _OPEN_EXISTING: Final = 3

    @contextmanager
    def deny_writes(path: str) -> Iterator[None]:
        """Let others read the file, and nobody write, rename or delete it.

        Raises:
            OSError: It cannot be opened, or somebody has it open for writing.
        """
        handle = kernel32.api.CreateFileW(
            long_paths.usable(path), _GENERIC_READ, _SHARE_READ, None, _OPEN_EXISTING, 0, None
        )
        try:
            yield
        finally:
            kernel32.api.CloseHandle(handle)


else:
    # Linux: nobody can be kept from changing a file; what needs that runs on Windows only.
    from contextlib import contextmanager

    @contextmanager
    def deny_writes(path: str) -> Iterator[None]:
        """Do nothing."""
        del path
        yield
