"""Removes folders on Windows; junctions and links are removed themselves, never entered."""

import os
import sys
from collections.abc import Callable
from typing import Final

from awstoe.host.files import long_paths, renaming

assert sys.platform == "win32"

_REPARSE_POINT: Final = 0x400
"""FILE_ATTRIBUTE_REPARSE_POINT: links, junctions, mount points."""


def remove(path: str, checkpoint: Callable[[], None]) -> None:
    """Remove the folder ``path`` and everything in it.

    Raises:
        OSError: Something cannot be removed.
    """
    emptied = []
    pending = [long_paths.deep(path)]
    while pending:
        folder = pending.pop()
        emptied.append(folder)
        with os.scandir(folder) as entries:
            listed = list(entries)
        for entry in listed:
            checkpoint()
            if not entry.is_dir(follow_symlinks=False):
                renaming.unlink(entry.path)
            elif _is_reparse_point(entry):
                os.rmdir(entry.path)
            else:
                pending.append(entry.path)
    for folder in reversed(emptied):
        renaming.rmdir(folder)


def set_owner(path: str, user: int, group: int, checkpoint: Callable[[], None]) -> None:
    """Do nothing; never reached, as SetFolderOwner cannot run on Windows."""
    del path, user, group, checkpoint


def set_permissions(path: str, mode: int, checkpoint: Callable[[], None]) -> None:
    """Do nothing; never reached, as SetFolderPermissions cannot run on Windows."""
    del path, mode, checkpoint


def _is_reparse_point(entry: os.DirEntry[str]) -> bool:
    attributes: int = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & _REPARSE_POINT)
