"""Explains failed system calls to document authors.

An ``OSError`` holds a number and a text such as "Device or resource busy". An author needs to know
which path failed, what the error means for a file, and what to do. The file-system actions turn
each ``OSError`` into an ``ActionError`` with the texts below.
"""

import errno
import os
import sys
from typing import Final, NamedTuple, TypeAlias

from awstoe.host.files import paths

_Text: TypeAlias = tuple[str, str | None]
"""The reason, and a hint."""

_NO_SPACE: Final = ("the disk is full", "free some space there, or use another folder")
_QUOTA: Final = ("the disk quota is used up", "free some space there, or use another folder")
_NO_PATH: Final = ("no such file or folder", "check the path: it does not exist")
_EXISTS: Final = ("something with that name already exists", "remove it first, or use another name")
_THROUGH_FILE: Final = ("a part of the path is a file, not a folder", "check the path")
_NOT_EMPTY: Final = ("the folder is not empty", "empty it first")
_INVALID: Final = ("the system does not accept the name or the operation", None)

if sys.platform == "win32":
    # Python maps most of Windows' codes to a few POSIX numbers ("Invalid argument"), which say
    # less. The codes share one table with these numbers, and are put above 32 bits.
    _PERMISSIONS: Final = (
        "run awstoe as a user with the required rights (usually an administrator), or change the"
        " permissions"
    )
    _OPERATION: Final = _PERMISSIONS
    _NAME_LENGTH: Final = "a name has up to 255 characters"
    _OPEN_FILES: Final = None
    _IN_USE: Final = ("another program has it open", "close that program, or wait until it ends")
    _BAD_NAME: Final = (
        "the name cannot be used here",
        'use a name without < > : " | ? * that does not end in a dot or a space',
    )
    _CODES: Final[dict[int, _Text]] = {
        2: _NO_PATH,
        3: ("a folder of the path does not exist", "check the path"),
        5: (
            "access is denied",
            f"{_PERMISSIONS}; a program that is running cannot be changed either",
        ),
        17: ("the two paths are on different disks", None),
        19: ("the disk is write-protected", "use another folder"),
        21: ("the drive is not ready", "check the drive"),
        32: _IN_USE,
        33: _IN_USE,
        39: _NO_SPACE,
        53: ("the server was not found", "check the network path"),
        67: ("the share was not found", "check the network path"),
        80: _EXISTS,
        87: _INVALID,
        112: _NO_SPACE,
        123: _BAD_NAME,
        145: _NOT_EMPTY,
        161: _BAD_NAME,
        183: _EXISTS,
        206: ("the path is too long", "a name has up to 255 characters"),
        225: ("the virus scanner blocked it", "check the virus scanner's log"),
        267: _THROUGH_FILE,
        1117: ("the disk reported an error", "check the system's event log"),
        1295: _QUOTA,
        1314: (
            "creating links needs a privilege that this user does not have",
            "run awstoe as an administrator, or enable the system's developer mode",
        ),
        1392: ("the file or folder is damaged", "check the disk with chkdsk"),
        1920: ("the system cannot open it", "check for a link to a path that does not exist"),
        1921: (
            "symbolic links form a circle",
            "check the links with dir /al and fix them",
        ),
        4390: ("it is not a link", None),
    }
    _BEYOND: Final = 1 << 32
    _OWN: Final = {_BEYOND + code: text for code, text in _CODES.items()}

    def _number(error: OSError) -> int:
        code = _BEYOND + (error.winerror or 0)
        if code in _OWN:
            return code
        # EINVAL covers every code without a number of its own; the system's text says more.
        return 0 if error.winerror and error.errno == errno.EINVAL else error.errno or 0

    def _readable(text: str) -> str:
        # Undo the doubled backslashes of repr. The other escapes stay: their first character
        # cannot be part of a name, or is not a letter.
        return text.replace("\\\\", "\\")


else:
    _PERMISSIONS: Final = (
        "run awstoe as a user with the required rights (usually root), or change the permissions"
    )
    _OPERATION: Final = f"{_PERMISSIONS}; not even root may change an immutable file (lsattr)"
    _NAME_LENGTH: Final = "the limits are usually 255 bytes for a name and 4096 for a path"
    _OPEN_FILES: Final = "raise the limit (ulimit -n)"
    _OWN: Final[dict[int, _Text]] = {
        errno.EDQUOT: _QUOTA,
        errno.EFBIG: ("the file would be too large", "check the file size limit (ulimit -f)"),
        errno.EROFS: (
            "the file system is mounted read-only",
            "use another folder, or mount it writable first",
        ),
        errno.ELOOP: (
            "symbolic links form a circle",
            "check the links with ls -l and fix them",
        ),
        errno.ETXTBSY: ("the program is running", "stop it first"),
        errno.EBUSY: (
            "it is in use",
            "unmount it, or stop the program that uses it",
        ),
        errno.EXDEV: ("the two paths are on different file systems", None),
        errno.ENFILE: ("the system has too many open files", "wait, or raise fs.file-max"),
        errno.EMLINK: ("too many links to the file", None),
        errno.EIO: ("the disk reported an error", "check the system's log (dmesg)"),
        errno.ESTALE: ("the network file system lost the file", "mount it again"),
        errno.ENODEV: ("the device does not exist", None),
        errno.ENXIO: ("the device does not exist", None),
        errno.EILSEQ: ("the file system does not accept the characters of the name", None),
        errno.EOPNOTSUPP: ("the file system does not support that", None),
    }

    def _number(error: OSError) -> int:
        return error.errno or 0

    def _readable(text: str) -> str:
        return text


_TEXTS: Final[dict[int, _Text]] = {
    **_OWN,
    errno.ENOENT: _NO_PATH,
    errno.EACCES: ("permission denied", _PERMISSIONS),
    errno.EPERM: ("operation not permitted", _OPERATION),
    errno.ENOSPC: _NO_SPACE,
    errno.EISDIR: ("it is a folder", "use the path of a file"),
    errno.ENOTDIR: _THROUGH_FILE,
    errno.EEXIST: _EXISTS,
    errno.ENAMETOOLONG: ("the name is too long", _NAME_LENGTH),
    errno.EMFILE: ("too many files are open", _OPEN_FILES),
    errno.ENOTEMPTY: _NOT_EMPTY,
    errno.EINVAL: _INVALID,
}


class Explanation(NamedTuple):
    """An ``OSError`` as text for a user."""

    reason: str
    """What went wrong, with the paths that the system named."""
    hint: str | None
    """What to do about it."""


def explain(error: OSError) -> Explanation:
    """Return the reason of ``error``, with the paths it names, and what to do."""
    reason, hint = _TEXTS.get(_number(error), ("", None))
    if not reason:
        reason = error.strerror or str(error) or type(error).__name__
    named = [quoted(name) for name in (error.filename, error.filename2) if name is not None]
    if named:
        reason = f"{reason}: {' -> '.join(dict.fromkeys(named))}"
    return Explanation(reason, hint)


def quoted(path: object) -> str:
    """Return ``path`` in quotes, with anything unprintable or undecodable escaped."""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return _readable(repr(paths.shown(str(path))))
