"""What stands at a path, asked before anything is opened: a FIFO or a device would hang a read."""

import errno
import os
import stat
from enum import StrEnum

from awstoe.errors import ActionError
from awstoe.host.files.oserrors import quoted


class FileType(StrEnum):
    """What a name in the file system stands for."""

    MISSING = "missing"
    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a symbolic link"
    FIFO = "a named pipe"
    SOCKET = "a socket"
    DEVICE = "a device"
    OTHER = "something that is neither file nor folder"


_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})


_BY_FORMAT = {
    stat.S_IFREG: FileType.FILE,
    stat.S_IFDIR: FileType.FOLDER,
    stat.S_IFLNK: FileType.LINK,
    stat.S_IFIFO: FileType.FIFO,
    stat.S_IFSOCK: FileType.SOCKET,
    stat.S_IFCHR: FileType.DEVICE,
    stat.S_IFBLK: FileType.DEVICE,
}


_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: Windows' other kind of link to a folder."""


def of_mode(mode: int) -> FileType:
    """The kind that ``st_mode`` says."""
    return _BY_FORMAT.get(stat.S_IFMT(mode), FileType.OTHER)


def of_itself(info: os.stat_result) -> FileType:
    """The kind of what ``lstat`` was asked about; a junction is a link like any other."""
    if getattr(info, "st_reparse_tag", 0) == _JUNCTION:
        return FileType.LINK
    return of_mode(info.st_mode)


def is_link(path: str) -> bool:
    """Whether ``path`` itself is a symbolic link or a junction."""
    try:
        return file_type(path) is FileType.LINK
    except OSError:
        return False


def entry_is_link(entry: os.DirEntry[str]) -> bool:
    """The same of what a folder holds."""
    return entry.is_symlink() or getattr(entry, "is_junction", _no_junction)()


def _no_junction() -> bool:
    """What an entry says that is too old to be asked (Python 3.11)."""
    return False


def file_type(path: str) -> FileType:
    """What ``path`` itself is; a link is ``LINK`` wherever it leads.

    Raises:
        OSError: It cannot be looked at.
    """
    try:
        return of_itself(os.lstat(path))
    except OSError as error:
        if error.errno in _ABSENT:
            return FileType.MISSING
        raise


def followed_type(path: str) -> FileType:
    """What ``path`` leads to; ``MISSING`` for a link that leads nowhere.

    Raises:
        OSError: It cannot be looked at.
    """
    try:
        return of_mode(os.stat(path).st_mode)
    except OSError as error:
        if error.errno in _ABSENT:
            return FileType.MISSING
        raise


def require_file(path: str) -> None:
    """Refuse anything at ``path`` but a file or a link to one.

    Raises:
        ActionError: It is missing, a folder or something special.
        OSError: It cannot be looked at.
    """
    found = followed_type(path)
    if found is FileType.FILE:
        return
    if found is FileType.MISSING:
        raise missing(path, "file")
    hint = (
        "name a file inside it" if found is FileType.FOLDER else "only regular files are accepted"
    )
    raise ActionError(f"{quoted(path)} is {found}, not a file", hint=hint)


def require_folder(path: str) -> None:
    """Refuse anything at ``path`` but a folder or a link to one.

    Raises:
        ActionError: It is missing or no folder.
        OSError: It cannot be looked at.
    """
    found = followed_type(path)
    if found is FileType.MISSING:
        raise missing(path, "folder")
    if found is not FileType.FOLDER:
        raise ActionError(f"{quoted(path)} is {found}, not a folder", hint="name a folder")


def missing(path: str, wanted: str) -> ActionError:
    """The error for a ``wanted`` (file, folder) that is not there, with what is known about it."""
    if os.path.islink(path):
        return ActionError(
            f"the {wanted} {quoted(path)} is a symbolic link to {quoted(os.readlink(path))},"
            " which does not exist",
            hint="repair or remove the link",
        )
    above = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(above) and os.path.dirname(above) != above:
        if os.path.lexists(above):
            return ActionError(
                f"the {wanted} {quoted(path)} does not exist: {quoted(above)} is not a folder",
                hint="check the path",
            )
        above = os.path.dirname(above)
    start = "" if os.path.isabs(path) else f", starting from {quoted(os.getcwd())}"
    return ActionError(
        f"the {wanted} {quoted(path)} does not exist",
        hint=f"check the path{start}; {quoted(above)} is the last folder of it that exists",
    )
