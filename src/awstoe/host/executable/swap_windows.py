"""Replaces executables on Windows: a running file can be renamed, but not replaced or removed."""

import os
import sys
import time
from typing import Final, NamedTuple

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.files import access_lists_windows as access_lists
from awstoe.host.files import attributes_windows as attributes

assert sys.platform == "win32"

owners: Final[tuple[tuple[tuple[str, ...], str], ...]] = ()

_RETRY_SECONDS: Final = 10.0
"""Virus scanners keep a new file open for a while."""
_FIRST_PAUSE: Final = 0.05
_ERROR_SHARING_VIOLATION: Final = 32
_HELD: Final = frozenset({kernel32.ERROR_ACCESS_DENIED, _ERROR_SHARING_VIOLATION})


class Privileges(NamedTuple):
    """The privileges of an executable that a replacement could lose: none on Windows."""

    changes_user: bool = False
    has_capabilities: bool = False
    foreign_owner: int | None = None


def inspect(path: str) -> Privileges:
    """Return the privileges of the executable at ``path``.

    Raises:
        OSError: It cannot be read.
    """
    os.stat(path)
    return Privileges()


def preserve_attributes(path: str, new: str) -> None:
    """Copy the access list of the file at ``path`` to ``new``, if the disk has such lists.

    Raises:
        OSError: The list cannot be read or set.
    """
    try:
        access_lists.preserve(path, new)
    except OSError as error:
        if error.winerror not in attributes.WITHOUT_LISTS:
            raise


def keep(path: str, kept: str) -> None:
    """Do nothing: ``replace`` moves the running file aside."""
    del path, kept


def replace(path: str, new: str, kept: str) -> None:
    """Move ``path`` to ``kept``, and ``new`` to ``path``.

    Raises:
        OSError: It failed; ``path`` is unchanged.
    """
    if not os.path.exists(path):
        _rename(new, path)
        return
    _rename(path, kept)
    try:
        _rename(new, path)
    except OSError:
        _rename(kept, path)
        raise


def _rename(old: str, new: str) -> None:
    """Rename and replace; try again for a while if another process has one of the files open."""
    end = time.monotonic() + _RETRY_SECONDS
    pause = _FIRST_PAUSE
    while True:
        try:
            os.replace(old, new)
        except OSError as error:
            if error.winerror not in _HELD or time.monotonic() >= end:
                raise
            # Processes that wait for the same file must not all try again at the same time.
            time.sleep(pause * (1 + os.urandom(1)[0] / 255))
            pause = min(pause * 2, 1.0)
        else:
            return


def remove(path: str) -> bool:
    """Remove an executable that may be running; return whether it was removed."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def suffixed(path: str, word: str) -> str:
    """Return a name next to ``path`` under which the system can run the file."""
    base, extension = os.path.splitext(path)
    return f"{base}.{word}{extension}"
