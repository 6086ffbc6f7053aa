"""Program files on Linux: the name never disappears, the running file lives on without one."""

import errno
import os
import shutil
import stat
import sys
from contextlib import suppress
from typing import Final, NamedTuple

from awstoe.host.files.attributes import preserve_owner_and_mode
from awstoe.host.files.own_files import sync_path

assert sys.platform == "linux"

_CAPABILITIES: Final = "security.capability"
_NO_HARD_LINKS: Final = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
)

owners: Final = (
    (("dpkg-query", "-S"), "apt-get install --only-upgrade"),
    (("rpm", "-qf"), "dnf upgrade (or yum, zypper)"),
    (("apk", "info", "--who-owns"), "apk upgrade"),
)


class Privileges(NamedTuple):
    """What a program file gives to who runs it, and what stands in the way of replacing it."""

    changes_user: bool
    """setuid or setgid."""
    has_capabilities: bool
    foreign_owner: int | None
    """The user it belongs to, if that is not us and we cannot give files away."""


def inspect(path: str) -> Privileges:
    """The privileges of the program at ``path``.

    Raises:
        OSError: It cannot be looked at.
    """
    found = os.stat(path)
    try:
        capable = _CAPABILITIES in os.listxattr(path)
    except OSError:
        capable = False
    foreign = os.geteuid() not in (0, found.st_uid)
    return Privileges(
        changes_user=bool(found.st_mode & (stat.S_ISUID | stat.S_ISGID)),
        has_capabilities=capable,
        foreign_owner=found.st_uid if foreign else None,
    )


def preserve_attributes(path: str, new: str) -> None:
    """Give ``new`` the owner, permissions and labels of the file at ``path``.

    Raises:
        OSError: The permissions cannot be set.
    """
    descriptor = os.open(new, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        preserve_owner_and_mode(path, os.stat(path), descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep(path: str, kept: str) -> None:
    """Give the file at ``path`` a second name, ``kept``; a copy where there are no hard links.

    Raises:
        OSError: It cannot be kept.
    """
    try:
        os.link(path, kept)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        copy = f"{kept}.copy"
        shutil.copyfile(path, copy)
        preserve_attributes(path, copy)
        os.rename(copy, kept)
    sync_path(os.path.dirname(kept))


def replace(path: str, new: str, kept: str) -> None:
    """Put ``new`` in the place of ``path``, of which ``keep`` has made ``kept``.

    Raises:
        OSError: It cannot; ``path`` is as it was.
    """
    del kept
    os.rename(new, path)
    with suppress(OSError):  # it has happened; only a power failure could still undo it
        sync_path(os.path.dirname(path))


def remove(path: str) -> bool:
    """Remove a program that may be running; gives whether it is gone.

    Raises:
        OSError: It cannot be removed.
    """
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    return True


def suffixed(path: str, word: str) -> str:
    """A name beside ``path`` under which the program can be started."""
    return f"{path}.{word}"
