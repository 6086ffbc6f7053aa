"""Linux: names are changed at once, whoever has the file open."""

import errno
import os
import sys
from typing import Final

assert sys.platform == "linux"

_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


def replace(source: str, target: str) -> None:
    """Rename a file; one at ``target`` is replaced.

    Raises:
        OSError: The system refused.
    """
    os.replace(source, target)


def rename(source: str, target: str) -> None:
    """Rename a file or a folder.

    Raises:
        OSError: The system refused.
    """
    os.rename(source, target)


def rename_noreplace(staged: str, target: str) -> None:
    """Give a finished file its name, which must be free; what then becomes of ``staged`` varies.

    Raises:
        FileExistsError: The name is taken.
        OSError: The system refused.
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
        OSError: The system refused.
    """
    os.unlink(path)


def rmdir(path: str) -> None:
    """Remove an empty folder.

    Raises:
        OSError: The system refused, or it is not empty.
    """
    os.rmdir(path)


def place_link(target: str, path: str) -> None:
    """Make a symbolic link at ``path``, where nothing is.

    Raises:
        OSError: The system refused.
    """
    os.symlink(target, path)
