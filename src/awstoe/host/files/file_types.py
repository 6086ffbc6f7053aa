"""Checks the type of files before they are opened: reading a FIFO or a device could hang."""

import errno
import os
import stat
from enum import StrEnum

from awstoe.errors import ActionError
from awstoe.host.files import paths
from awstoe.host.files.oserrors import explain, quoted


class FileType(StrEnum):
    """The type of a file, or ``MISSING``."""

    MISSING = "missing"
    FILE = "a file"
    FOLDER = "a folder"
    LINK = "a symbolic link"
    FIFO = "a named pipe"
    SOCKET = "a socket"
    DEVICE = "a device"
    OTHER = "neither a file nor a folder"


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
    """Return the file type in ``st_mode``."""
    return _BY_FORMAT.get(stat.S_IFMT(mode), FileType.OTHER)


def of_itself(info: os.stat_result) -> FileType:
    """Return the file type in a result of ``lstat``; a junction counts as a link."""
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
    """Whether a folder's entry is a symbolic link or a junction."""
    return entry.is_symlink() or getattr(entry, "is_junction", _no_junction)()


def _no_junction() -> bool:
    """Stand in for ``is_junction`` in Python 3.11, which does not have it."""
    return False


def file_type(path: str) -> FileType:
    """Return the type of ``path`` itself, which is ``LINK`` for a link.

    Raises:
        OSError: It cannot be read.
    """
    try:
        return of_itself(os.lstat(path))
    except OSError as error:
        if error.errno in _ABSENT:
            return FileType.MISSING
        raise


def followed_type(path: str) -> FileType:
    """Return the type of ``path``, links followed; ``MISSING`` for a dangling link.

    Raises:
        OSError: It cannot be read.
    """
    try:
        return of_mode(os.stat(path).st_mode)
    except OSError as error:
        if error.errno in _ABSENT:
            return FileType.MISSING
        raise


def decided_type(path: str) -> FileType:
    """Return the type of ``path``, links followed; ``MISSING`` if nothing can have that path.

    Raises:
        ActionError: The system does not let us find out, or the path has control characters. The
            message is only the reason.
    """
    if problem := paths.control_problem(path):
        raise ActionError(problem, hint="remove it from the path")
    try:
        return of_mode(os.stat(path).st_mode)
    except OSError as error:
        if _means_missing(error):
            return FileType.MISSING
        raise undecided(error) from error


_SERVER_NOT_FOUND = 53
_NAME_NOT_POSSIBLE = frozenset({123, 161, 206})
"""Windows' codes for names that no file can have."""


def _means_missing(error: OSError) -> bool:
    code = getattr(error, "winerror", None)
    if code == _SERVER_NOT_FOUND:
        return False
    return error.errno in _ABSENT or error.errno == errno.ENAMETOOLONG or code in _NAME_NOT_POSSIBLE


def undecided(error: OSError) -> ActionError:
    """Return why a question about a file has no answer, without the path."""
    error.filename = error.filename2 = None
    reason, hint = explain(error)
    return ActionError(reason, hint=hint)


def require_file(path: str) -> None:
    """Check that ``path`` is a regular file or a link to one.

    Raises:
        ActionError: It is missing, a folder or a special file.
        OSError: It cannot be read.
    """
    actual = followed_type(path)
    if actual is FileType.FILE:
        return
    if actual is FileType.MISSING:
        raise missing(path, "file")
    hint = "use the path of a file in it" if actual is FileType.FOLDER else "use a regular file"
    raise ActionError(f"{quoted(path)} is {actual}, not a file", hint=hint)


def require_folder(path: str) -> None:
    """Check that ``path`` is a folder or a link to one.

    Raises:
        ActionError: It is missing or not a folder.
        OSError: It cannot be read.
    """
    actual = followed_type(path)
    if actual is FileType.MISSING:
        raise missing(path, "folder")
    if actual is not FileType.FOLDER:
        raise ActionError(
            f"{quoted(path)} is {actual}, not a folder", hint="use the path of a folder"
        )


def missing(path: str, wanted: str) -> ActionError:
    """Return the error for a missing ``wanted`` (file, folder), with what is known about it."""
    if os.path.islink(path):
        return ActionError(
            f"the {wanted} {quoted(path)} is a symbolic link to {quoted(os.readlink(path))},"
            " which does not exist",
            hint="fix or remove the link",
        )
    above = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(above) and os.path.dirname(above) != above:
        if os.path.lexists(above):
            return ActionError(
                f"the {wanted} {quoted(path)} does not exist: {quoted(above)} is not a folder",
                hint="check the path",
            )
        above = os.path.dirname(above)
    start = "" if os.path.isabs(path) else f", which is relative to {quoted(os.getcwd())}"
    return ActionError(
        f"the {wanted} {quoted(path)} does not exist",
        hint=f"check the path{start}; {quoted(above)} is its last folder that exists",
    )
