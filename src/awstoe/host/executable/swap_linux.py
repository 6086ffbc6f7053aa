"""Replaces executables on Linux: the name always exists; the running file continues without one."""

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
    """The privileges of an executable that a replacement could lose."""

    changes_user: bool
    """setuid or setgid."""
    has_capabilities: bool
    foreign_owner: int | None
    """The user it belongs to, if that is not us and we may not change owners."""


def inspect(path: str) -> Privileges:
    """Return the privileges of the executable at ``path``.

    Raises:
        OSError: It cannot be read.
    """
    status = os.stat(path)
    try:
        capable = _CAPABILITIES in os.listxattr(path)
    except OSError:
        capable = False
    foreign = os.geteuid() not in (0, status.st_uid)
    return Privileges(
        changes_user=bool(status.st_mode & (stat.S_ISUID | stat.S_ISGID)),
        has_capabilities=capable,
        foreign_owner=status.st_uid if foreign else None,
    )


def preserve_attributes(path: str, new: str) -> None:
    """Copy the owner, permissions and labels of the file at ``path`` to ``new``.

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
    """Keep the file at ``path`` as ``kept`` too: a hard link, or a copy where links do not work.

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
    """Replace ``path`` with ``new``; ``keep`` has made ``kept``.

    Raises:
        OSError: It failed; ``path`` is unchanged.
    """
    del kept
    os.rename(new, path)
    with suppress(OSError):  # it is replaced; only a power failure could still undo it
        sync_path(os.path.dirname(path))


def remove(path: str) -> bool:
    """Remove an executable that may be running; return whether it was removed.

    Raises:
        OSError: It cannot be removed.
    """
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    return True


def suffixed(path: str, word: str) -> str:
    """Return a name next to ``path`` under which the system can run the file."""
    return f"{path}.{word}"
