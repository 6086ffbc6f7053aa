"""Walks a folder by descriptors, so that no race can lead the walk out of it.

Each name is used relative to the descriptor of its folder, and links are never followed. Only one
descriptor is open at a time, regardless of the depth: the way back is ``..``, which is checked to
be the folder that the walk came from.
"""

import os
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from awstoe.errors import ActionError
from awstoe.host.files import paths, targets
from awstoe.host.files.oserrors import quoted
from awstoe.host.platforms import Platform

assert sys.platform == "linux"

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_HELD: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NAME_ONLY: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

Visit = Callable[[int, str], None]
"""Called with the descriptor of a folder and a name in it."""


class _Level(NamedTuple):
    """A folder the walk is in."""

    name: str
    device: int
    inode: int
    files: list[str]
    folders: list[str]


def remove(path: str, checkpoint: Callable[[], None]) -> None:
    """Remove the folder ``path``, which is not a link, and everything in it.

    Raises:
        ActionError: A file system is mounted inside it, or it was moved during the walk.
        OSError: Something cannot be removed.
    """
    # With a separator at its end, a link would be followed.
    path = paths.without_end_separators(path, Platform.LINUX)
    with targets.named(path) as held:
        folder = os.open(held, _FOLDER)
        _walk(folder, path, _remove_file, _remove_folder, checkpoint, stay_on_device=True)
        os.rmdir(held)


def _remove_file(folder: int, name: str) -> None:
    os.unlink(name, dir_fd=folder)


def _remove_folder(folder: int, name: str) -> None:
    os.rmdir(name, dir_fd=folder)


def set_owner(path: str, user: int, group: int, checkpoint: Callable[[], None]) -> None:
    """Give ``path`` and everything in it, including links, to ``user`` and ``group``.

    Raises:
        ActionError: The folder was moved during the walk.
        OSError: The system does not allow it.
    """

    def visit(folder: int, name: str) -> None:
        os.chown(name, user, group, dir_fd=folder, follow_symlinks=False)

    with targets.held(path) as held:
        folder = os.open(held, _HELD)
    try:
        _walk(os.dup(folder), path, visit, visit, checkpoint)
        os.chown(folder, user, group)
    finally:
        os.close(folder)


def set_permissions(path: str, mode: int, checkpoint: Callable[[], None]) -> None:
    """Set the permissions of ``path`` and of everything in it but links.

    Raises:
        ActionError: The folder was moved during the walk.
        OSError: The system does not allow it.
    """

    def visit(folder: int, name: str) -> None:
        _change_mode(folder, name, mode)

    with targets.held(path) as held:
        if not os.access(held, os.R_OK | os.X_OK, effective_ids=True):
            os.chmod(held, mode)
        folder = os.open(held, _HELD)
    try:
        _walk(os.dup(folder), path, visit, visit, checkpoint, unlock=visit)
        os.fchmod(folder, mode)
    finally:
        os.close(folder)


def _change_mode(folder: int, name: str, mode: int) -> None:
    """Change a mode without following links, which old C libraries cannot do."""
    descriptor = os.open(name, _NAME_ONLY, dir_fd=folder)
    try:
        kind = os.fstat(descriptor).st_mode & 0o170000
        if kind == 0o120000:  # noqa: PLR2004 - S_IFLNK
            return
        try:
            os.chmod(f"/proc/self/fd/{descriptor}", mode)
        except FileNotFoundError:  # a chroot without /proc
            _change_mode_by_descriptor(folder, name, mode)
    finally:
        os.close(descriptor)


def _change_mode_by_descriptor(folder: int, name: str, mode: int) -> None:
    readable = os.open(
        name,
        os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC,
        dir_fd=folder,
    )
    try:
        os.fchmod(readable, mode)
    finally:
        os.close(readable)


def _walk(
    here: int,
    path: str,
    visit_file: Visit,
    visit_folder: Visit,
    checkpoint: Callable[[], None],
    *,
    unlock: Visit | None = None,
    stay_on_device: bool = False,
) -> None:
    """Visit everything below the open folder ``here``, a folder's content before the folder.

    ``here`` is closed. ``path`` is its path, for messages. ``unlock`` is called once for a folder
    that we may not open or search.
    """
    levels: list[_Level] = []
    name = ""
    try:
        levels.append(_level("", here))
        while levels:
            level = levels[-1]
            while level.files:
                checkpoint()
                name = level.files.pop()
                visit_file(here, name)
            if level.folders:
                checkpoint()
                name = level.folders.pop()
                here = _descend(here, name, unlock)
                levels.append(_level(name, here))
                if stay_on_device and levels[-1].device != levels[0].device:
                    raise ActionError(
                        f"another file system is mounted at {quoted(_full(path, levels, ''))}",
                        hint="unmount it first: its content is not part of the folder",
                    )
                continue
            levels.pop()
            if levels:
                name = level.name
                here = _ascend(here, path, levels)
                visit_folder(here, name)
    except OSError as error:
        raise OSError(error.errno, error.strerror, _full(path, levels, name)) from error
    finally:
        os.close(here)


def _level(name: str, descriptor: int) -> _Level:
    info = os.fstat(descriptor)
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.name)
    return _Level(name, info.st_dev, info.st_ino, files, folders)


def _descend(here: int, name: str, unlock: Visit | None) -> int:
    try:
        inner = os.open(name, _FOLDER, dir_fd=here)
    except PermissionError:
        if unlock is None:
            raise
        unlock(here, name)
        inner = os.open(name, _FOLDER, dir_fd=here)
    if unlock is not None and not os.access(".", os.X_OK, dir_fd=inner, effective_ids=True):
        try:
            unlock(here, name)  # readable, but not searchable: mode 0600, for example
        except OSError:
            os.close(inner)
            raise
    os.close(here)
    return inner


def _ascend(here: int, path: str, levels: list[_Level]) -> int:
    outer = os.open("..", _FOLDER, dir_fd=here)
    info = os.fstat(outer)
    if (info.st_dev, info.st_ino) != (levels[-1].device, levels[-1].inode):
        os.close(outer)
        raise ActionError(
            f"{quoted(_full(path, levels, ''))} was moved by another program",
            hint="stop other programs that use that folder, then try again",
        )
    os.close(here)
    return outer


def _full(path: str, levels: list[_Level], name: str) -> str:
    return os.path.join(path, *(level.name for level in levels[1:]), name)
