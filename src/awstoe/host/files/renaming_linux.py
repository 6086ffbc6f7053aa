"""Linux: renames and removes files at once, even if they are open."""

import errno
import os
import sys
from typing import Final

assert sys.platform == "linux"

_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


def replace(source: str, target: str) -> None:
    """Rename a file; replace one at ``target``.

    Raises:
        OSError: The system does not allow it.
    """
    os.replace(source, target)


def rename(source: str, target: str) -> None:
    """Rename a file or a folder.

    Raises:
        OSError: The system does not allow it.
    """
    os.rename(source, target)


def rename_noreplace(staged: str, target: str) -> None:
    """Give a finished file its name, which must not exist; ``staged`` may continue to exist.

    Raises:
        FileExistsError: The name exists.
        OSError: The system does not allow it.
    """
    try:
        os.link(staged, target)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        os.rename(staged, target)


def unlink(path: str) -> None:
    """Remove a file, or a link itself.

    Raises:
        OSError: The system does not allow it.
    """
    os.unlink(path)


def rmdir(path: str) -> None:
    """Remove an empty folder.

    Raises:
        OSError: The system does not allow it, or it is not empty.
    """
    os.rmdir(path)


def place_link(target: str, path: str) -> None:
    """Make a symbolic link at ``path``, which must not exist.

    Raises:
        OSError: The system does not allow it.
    """
    os.symlink(target, path)
