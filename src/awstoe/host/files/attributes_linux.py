"""Copies file attributes on Linux. Owners are kept if we may set them, as with ``mv``."""

import os
import stat
import sys
from typing import Final

from awstoe.host.files import targets

assert sys.platform == "linux"

_KEPT_ON_REWRITE: Final = ("user.", "system.posix_acl_access", "security.selinux")
"""Extended attributes that belong to the file's name. ``security.capability`` belongs to its
content: the kernel drops it on a write, and so do we."""

_MODE: Final = 0o7777


def preserve_owner_and_mode(path: str, old: os.stat_result, descriptor: int) -> None:
    """Copy the owner, permissions and labels of the file at ``path`` to the open file.

    Raises:
        OSError: The permissions cannot be set.
    """
    _owner(descriptor, old)
    os.fchmod(descriptor, old.st_mode & _MODE)
    _extended(path, descriptor, _KEPT_ON_REWRITE)


def preserve_everything(path: str, old: os.stat_result, descriptor: int) -> None:
    """Copy all attributes of the file at ``path`` to the open file, times included.

    Raises:
        OSError: The permissions or times cannot be set.
    """
    _owner(descriptor, old)
    os.fchmod(descriptor, old.st_mode & _MODE)
    _extended(path, descriptor, ("",))
    os.utime(descriptor, ns=(old.st_atime_ns, old.st_mtime_ns))


def preserve_on_path(path: str, old: os.stat_result, twin: str) -> None:
    """Copy all attributes of the folder or link at ``path`` to ``twin``, times included.

    Raises:
        OSError: The permissions or times cannot be set.
    """
    is_link = stat.S_ISLNK(old.st_mode)
    with targets.named(twin) if is_link else targets.held(twin) as held:
        try:
            os.chown(held, old.st_uid, old.st_gid, follow_symlinks=not is_link)
        except PermissionError:
            pass  # as with mv: only root may change owners
        if not is_link:
            os.chmod(held, old.st_mode & _MODE)
            _extended(path, held, ("",))
        os.utime(held, ns=(old.st_atime_ns, old.st_mtime_ns), follow_symlinks=not is_link)


def _owner(descriptor: int, old: os.stat_result) -> None:
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) == (old.st_uid, old.st_gid):
        return
    try:
        os.fchown(descriptor, old.st_uid, old.st_gid)
    except PermissionError:
        try:
            os.fchown(descriptor, -1, old.st_gid)
        except PermissionError:
            pass  # only root may change owners


def _extended(path: str, twin: int | str, prefixes: tuple[str, ...]) -> None:
    """Copy extended attributes that the file system supports and we may set."""
    try:
        names = os.listxattr(path)
    except OSError:
        return
    for name in names:
        if name.startswith(prefixes):
            try:
                os.setxattr(twin, name, os.getxattr(path, name))
            except OSError:
                continue
