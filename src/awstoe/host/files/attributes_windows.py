"""File attributes on Windows.

A file that takes another's place gets its access list and whether it is hidden. One that is moved
to another disk gets its times, and the access list of its new folder, as with Explorer.
"""

import os
import stat
import sys
from typing import Final

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.files import access_lists_windows as access_lists

assert sys.platform == "win32"

_KEPT: Final = (
    stat.FILE_ATTRIBUTE_HIDDEN
    | stat.FILE_ATTRIBUTE_SYSTEM
    | stat.FILE_ATTRIBUTE_NOT_CONTENT_INDEXED
)
WITHOUT_LISTS: Final = frozenset({1, 50, 120})
"""What file systems say that have none, such as FAT: they do not have that function."""


def preserve_owner_and_mode(path: str, old: os.stat_result, descriptor: int) -> None:
    """Give the open file the access list of the file at ``path``, and hide it like that one.

    Raises:
        OSError: The list cannot be read or set.
    """
    new = kernel32.path_of(descriptor)
    try:
        access_lists.preserve(path, new)
    except OSError as error:
        if error.winerror not in WITHOUT_LISTS:
            raise
    kept = old.st_file_attributes & _KEPT
    if kept:
        kernel32.api.SetFileAttributesW(new, kept | stat.FILE_ATTRIBUTE_ARCHIVE)


def preserve_everything(path: str, old: os.stat_result, descriptor: int) -> None:
    """Give the open file the times of the file at ``path``.

    Raises:
        OSError: They cannot be set.
    """
    del path
    kernel32.set_times(descriptor, old.st_atime_ns, old.st_mtime_ns)


def preserve_on_path(path: str, old: os.stat_result, twin: str) -> None:
    """Keep the times.

    Raises:
        OSError: They cannot be set.
    """
    del path
    os.utime(twin, ns=(old.st_atime_ns, old.st_mtime_ns))
