"""Windows: keeps folders open so that no process can move or remove them, and works in them.

An open folder that does not share deletion keeps its path, and so do the folders above it. So the
functions here use paths, where those for Linux use descriptors.
"""

import errno
import os
import stat
import sys
from contextlib import suppress
from typing import Final

from awstoe.host import kernel32_windows as kernel32
from awstoe.host.files import access_lists_windows as access_lists
from awstoe.host.files import file_types, long_paths, renaming

assert sys.platform == "win32"

_LIST: Final = 0x1
_SHARE_READ_AND_WRITE: Final = 0x3
_OPEN_EXISTING: Final = 3
_BACKUP_SEMANTICS: Final = 0x02000000  # folders can be opened only with this
_OPEN_REPARSE_POINT: Final = 0x00200000  # a link itself, not its target
_FILE: Final = os.O_BINARY | os.O_NOINHERIT
_TRUSTED: Final = frozenset({"S-1-5-18", "S-1-5-32-544"})
"""The security identifiers of the system and of the group of administrators."""

_PATHS: Final[dict[int, str]] = {}
"""The paths of open folders, by their handles."""


def open_folder(path: str, *, make_parents: bool = False) -> int:
    """Open the folder at ``path``, which must not be a link, and return a handle.

    Raises:
        OSError: There is no such folder.
    """
    if make_parents:
        os.makedirs(path, exist_ok=True)
    handle = kernel32.api.CreateFileW(
        long_paths.usable(path),
        _LIST,
        _SHARE_READ_AND_WRITE,
        None,
        _OPEN_EXISTING,
        _BACKUP_SEMANTICS | _OPEN_REPARSE_POINT,
        None,
    )
    if file_types.of_itself(os.lstat(path)) is not file_types.FileType.FOLDER:
        kernel32.api.CloseHandle(handle)
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    _PATHS[handle] = path
    return int(handle)


def path_of(folder: int) -> str | None:
    """Return the path of an open folder, which cannot be moved."""
    return _PATHS.get(folder)


def foreign_owner(folder: int) -> str | None:
    """Return the owner of an open folder if that is another user, else None.

    Some network drives show a fixed owner for everything. There a new file has the same owner.
    """
    path = _PATHS[folder]
    owner = access_lists.owner(path)
    if owner in _TRUSTED or owner == access_lists.own_identifier():
        return None
    probe = os.path.join(path, f".awstoe-{os.urandom(8).hex()}")
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600))
    except OSError:
        return owner
    try:
        return None if access_lists.owner(probe) == owner else owner
    finally:
        with suppress(OSError):
            renaming.unlink(probe)


def make_folder(parent: int, name: str) -> None:
    """Make a folder for this user alone in an open one.

    Raises:
        OSError: It cannot be made, or exists.
    """
    os.mkdir(os.path.join(_PATHS[parent], name), 0o700)


def folder_identity(folder: int) -> tuple[int, int]:
    """Return what identifies an open folder."""
    info = os.stat(_PATHS[folder])
    return info.st_dev, info.st_ino


def identity(descriptor: int) -> tuple[int, int]:
    """Return what identifies an open file."""
    info = os.fstat(descriptor)
    return info.st_dev, info.st_ino


def identity_at(path: str) -> tuple[int, int] | None:
    """Return what identifies the file or folder at ``path``; None if there is none."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def make_private(folder: int) -> None:
    """Do nothing: the folder has the access list of the folder above it."""
    del folder


def keep_ours(folder: int, *, owner: bool) -> bool:
    """Do nothing: access lists that deny their owner access are not changed back."""
    del folder, owner
    return False


def open_file(folder: int, path: str, name: str, flags: int, mode: int = 0o600) -> int:
    """Open a regular file in an open folder; never a link.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
    """
    del folder
    full = os.path.join(path, name)
    if file_types.is_link(full):
        raise OSError(errno.EINVAL, "it is a link", full)
    descriptor = os.open(full, flags | _FILE, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", full)
    return descriptor


def file_identity(folder: int, path: str, name: str) -> tuple[int, int] | None:
    """Return what identifies a file in an open folder; None if there is none."""
    del folder
    try:
        info = os.lstat(os.path.join(path, name))
    except OSError:
        return None
    return info.st_dev, info.st_ino


def file_size(folder: int, path: str, name: str) -> int | None:
    """Return the size of a regular file in an open folder; None if there is none."""
    del folder
    try:
        info = os.lstat(os.path.join(path, name))
    except OSError:
        return None
    return info.st_size if stat.S_ISREG(info.st_mode) else None


def replace(folder: int, path: str, source: str, target: str) -> None:
    """Rename a file in an open folder.

    Raises:
        OSError: The system does not allow it.
    """
    del folder
    renaming.replace(os.path.join(path, source), os.path.join(path, target))


def unlink(folder: int, path: str, name: str) -> None:
    """Remove a file, or a link itself, from an open folder.

    Raises:
        OSError: The system does not allow it.
    """
    del folder
    renaming.unlink(os.path.join(path, name))


def names(folder: int, path: str) -> list[str]:
    """Return the names in an open folder.

    Raises:
        OSError: It cannot be read.
    """
    del folder
    return os.listdir(path)


def remove(folder: int, path: str) -> None:
    """Close a folder and remove it if it is empty.

    Raises:
        OSError: The system does not allow it.
    """
    close(folder)
    os.rmdir(path)


def sync(folder: int) -> None:
    """Do nothing: Windows flushes the names in a folder itself."""
    del folder


def close(folder: int) -> None:
    """Close a folder."""
    kernel32.api.CloseHandle(folder)
    _PATHS.pop(folder, None)
