"""Copies file attributes on Windows.

A file that replaces another one gets its access list and is hidden if that was. A file that is
moved to another disk keeps its times and gets the access list of its new folder, as in Explorer.
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
"""The errors of file systems without access lists, such as FAT."""


def preserve_owner_and_mode(path: str, old: os.stat_result, descriptor: int) -> None:
    """Copy the access list of the file at ``path`` to the open file, and whether it is hidden.

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
    """Copy the times of the file at ``path`` to the open file.

    Raises:
        OSError: They cannot be set.
    """
    del path
    kernel32.set_times(descriptor, old.st_atime_ns, old.st_mtime_ns)


def preserve_on_path(path: str, old: os.stat_result, twin: str) -> None:
    """Copy the times of ``old`` to ``twin``.

    Raises:
        OSError: They cannot be set.
    """
    del path
    os.utime(twin, ns=(old.st_atime_ns, old.st_mtime_ns))
