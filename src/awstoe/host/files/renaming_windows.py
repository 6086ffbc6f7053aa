"""Windows: renames and removes files; tries again for a while if another process has them open."""

import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from typing import Final

from awstoe import limits

assert sys.platform == "win32"

_ACCESS_DENIED: Final = 5
_HELD: Final = {
    _ACCESS_DENIED: limits.DENIED_SECONDS,
    32: limits.HELD_SECONDS,  # ERROR_SHARING_VIOLATION
    33: limits.HELD_SECONDS,  # ERROR_LOCK_VIOLATION
    145: limits.HELD_SECONDS,  # ERROR_DIR_NOT_EMPTY: what was in it is deleted, but still open
}
"""How long to try again, by the system's error code."""
_FIRST_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.2


def replace(source: str, target: str) -> None:
    """Rename a file; replace one at ``target``.

    Raises:
        OSError: The system does not allow it.
    """
    _insist(lambda: os.replace(source, target))


def rename(source: str, target: str) -> None:
    """Rename a file or a folder; ``target`` must not exist.

    Raises:
        OSError: The system does not allow it.
    """
    _insist(lambda: os.rename(source, target))


def rename_noreplace(staged: str, target: str) -> None:
    """Give a finished file its name, which must not exist.

    Raises:
        FileExistsError: The name exists.
        OSError: The system does not allow it.
    """
    rename(staged, target)


def unlink(path: str) -> None:
    """Remove a file, even a read-only one, or a link or junction itself.

    Raises:
        OSError: The system does not allow it.
    """
    try:
        os.unlink(path)
    except PermissionError:
        attributes = os.lstat(path).st_file_attributes
        if attributes & stat.FILE_ATTRIBUTE_READONLY:
            os.chmod(path, stat.S_IWRITE)
        _insist(lambda: os.unlink(path))


def rmdir(path: str) -> None:
    """Remove an empty folder.

    Raises:
        OSError: The system does not allow it, or it is not empty.
    """
    if os.listdir(path):
        raise OSError(errno.ENOTEMPTY, "", path)
    _insist(lambda: os.rmdir(path))


def place_link(target: str, path: str) -> None:
    """Make a symbolic link at ``path``, which must not exist. A link to a folder has its own type.

    Raises:
        OSError: The system does not allow it; usually we have no right to make links.
    """
    beside = os.path.join(os.path.dirname(path), target)
    os.symlink(target, path, target_is_directory=os.path.isdir(beside))


def _insist(call: Callable[[], None]) -> None:
    start = time.monotonic()
    pause = _FIRST_PAUSE
    while True:
        try:
            call()
        except OSError as error:
            if time.monotonic() - start >= _HELD.get(error.winerror or 0, 0):
                raise
        else:
            return
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
