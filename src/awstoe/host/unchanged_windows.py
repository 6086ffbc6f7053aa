"""Windows: whoever has a file open says what others may do with it meanwhile."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from awstoe.host import kernel32_windows as kernel32
from awstoe.host import long_paths

assert sys.platform == "win32"

_GENERIC_READ: Final = 0x80000000
_SHARE_READ: Final = 0x1
_OPEN_EXISTING: Final = 3


@contextmanager
def unchanged(path: str) -> Iterator[None]:
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
