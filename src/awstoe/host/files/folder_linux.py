"""Linux: opens folders without following links of other users, and works with files in them.

A descriptor of a folder stays the same folder when another one takes its path, so nobody can lead
awstoe to other files by moving it. No function here follows a link at a file's name.
"""

import errno
import os
import stat
import sys
from typing import Final

from awstoe.host.files import trusted_paths

assert sys.platform == "linux"

_PASSED: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LINK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LINKS: Final = 40
"""Links followed in one path, as in the kernel."""


def open_folder(path: str, *, make_parents: bool = False) -> int:
    """Open the folder at ``path`` and return its descriptor.

    Links in the path are followed only if root or this user owns them.

    Args:
        path: An absolute path.
        make_parents: Whether to make missing folders, the last one included.

    Raises:
        OSError: There is no such folder, or another user's link is in its path.
    """
    here = os.open("/", _PASSED)
    try:
        parts = path.split("/")[::-1]
        links = 0
        while parts:
            name = parts.pop()
            if name in ("", "."):
                continue
            try:
                inner = _enter(here, name, make=make_parents)
            except NotADirectoryError:
                links += 1
                target = _own_link(here, name, path) if links <= _LINKS else None
                if target is None:
                    raise
                parts += target.split("/")[::-1]
                if not target.startswith("/"):
                    continue
                inner = os.open("/", _PASSED)
            os.close(here)
            here = inner
        return os.open(".", _FOLDER, dir_fd=here)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(here)


def _enter(here: int, name: str, *, make: bool) -> int:
    try:
        return os.open(name, _PASSED, dir_fd=here)
    except FileNotFoundError:
        if not make:
            raise
    try:
        os.mkdir(name, 0o777, dir_fd=here)
    except FileExistsError:
        pass  # another process was faster: the next line finds out what it is
    return os.open(name, _PASSED, dir_fd=here)


def _own_link(here: int, name: str, path: str) -> str | None:
    """Return the target of a link that root or this user owns; None if it is not a link.

    Raises:
        PermissionError: Another user owns it.
    """
    link = os.open(name, _LINK, dir_fd=here)
    try:
        info = os.fstat(link)
        if not stat.S_ISLNK(info.st_mode):
            return None
        if info.st_uid not in trusted_paths.trusted():
            text = f"{name} is a symbolic link of another user (user ID {info.st_uid})"
            raise PermissionError(errno.EPERM, text, path)
        return os.readlink("", dir_fd=link)
    finally:
        os.close(link)


def path_of(folder: int) -> str | None:
    """Return the path that an open folder has now; None if the system does not report it."""
    try:
        return os.readlink(f"/proc/self/fd/{folder}")
    except OSError:
        return None


def foreign_owner(folder: int) -> int | None:
    """Return the owner of an open folder if that is another user, else None.

    Some file systems show a fixed owner for everything, or show root as somebody else. There a new
    file has the same owner as the folder.
    """
    owner = os.fstat(folder).st_uid
    if owner == os.geteuid():
        return None
    name = f".awstoe-{os.urandom(8).hex()}"
    try:
        probe = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600, dir_fd=folder)
    except OSError:
        return owner
    try:
        os.unlink(name, dir_fd=folder)
        return None if os.fstat(probe).st_uid == owner else owner
    finally:
        os.close(probe)


def make_folder(parent: int, name: str) -> None:
    """Make a folder (0700) in an open one.

    Raises:
        OSError: It cannot be made, or exists.
    """
    os.mkdir(name, 0o700, dir_fd=parent)


def identity(descriptor: int) -> tuple[int, int]:
    """Return what identifies an open file."""
    info = os.fstat(descriptor)
    return info.st_dev, info.st_ino


folder_identity = identity


def identity_at(path: str) -> tuple[int, int] | None:
    """Return what identifies the file or folder at ``path``; None if there is none."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def make_private(folder: int) -> None:
    """Let only the owner of an open folder use it.

    Raises:
        OSError: The system does not allow it.
    """
    os.fchmod(folder, 0o700)


def keep_ours(folder: int, *, owner: bool) -> bool:
    """Let the owner of an open folder use it again. Return whether that was necessary.

    Args:
        folder: The folder.
        owner: Whether to become its owner again, too.

    Raises:
        OSError: The system does not allow it.
    """
    info = os.fstat(folder)
    changed = False
    if owner and info.st_uid != os.geteuid() and foreign_owner(folder) is not None:
        os.fchown(folder, os.geteuid(), -1)
        changed = True
    if info.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(folder, stat.S_IMODE(info.st_mode) | stat.S_IRWXU)
        changed = True
    return changed


def open_file(folder: int, path: str, name: str, flags: int, mode: int = 0o600) -> int:
    """Open a regular file in an open folder; never a link, a named pipe or a device.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
    """
    del path
    descriptor = os.open(name, flags | _FILE, mode, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", name)
    return descriptor


def file_identity(folder: int, path: str, name: str) -> tuple[int, int] | None:
    """Return what identifies a file in an open folder; None if there is none."""
    del path
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def file_size(folder: int, path: str, name: str) -> int | None:
    """Return the size of a regular file in an open folder; None if there is none."""
    del path
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return info.st_size if stat.S_ISREG(info.st_mode) else None


def replace(folder: int, path: str, source: str, target: str) -> None:
    """Rename a file in an open folder.

    Raises:
        OSError: The system does not allow it.
    """
    del path
    os.replace(source, target, src_dir_fd=folder, dst_dir_fd=folder)


def unlink(folder: int, path: str, name: str) -> None:
    """Remove a file, or a link itself, from an open folder.

    Raises:
        OSError: The system does not allow it.
    """
    del path
    os.unlink(name, dir_fd=folder)


def names(folder: int, path: str) -> list[str]:
    """Return the names in an open folder.

    Raises:
        OSError: It cannot be read.
    """
    del path
    return os.listdir(folder)


def remove(folder: int, path: str) -> None:
    """Close a folder and remove it if it is empty.

    Raises:
        OSError: The system does not allow it.
    """
    os.close(folder)
    os.rmdir(path)


def sync(folder: int) -> None:
    """Flush the names in an open folder to the disk, if the file system supports it.

    Raises:
        OSError: The disk failed.
    """
    try:
        os.fsync(folder)
    except OSError as error:
        # Some network and shared file systems can flush only files.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise


def close(folder: int) -> None:
    """Close a folder."""
    os.close(folder)
