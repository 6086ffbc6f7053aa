"""What a failed system call means, in a document author's words.

``OSError`` carries a number and a text such as "Device or resource busy"; a person needs to hear
which path it was about, what that means for a file, and what to do. The file-system actions turn
every ``OSError`` into an ``ActionError`` with these words.
"""

import errno
import os
from collections.abc import Mapping
from typing import Final, NamedTuple


class Explanation(NamedTuple):
    """An ``OSError`` for a person."""

    reason: str
    """What went wrong, with the path it was about when the system named one."""
    hint: str | None
    """What to do about it."""


_PERMISSIONS: Final = (
    "run awstoe as a user who may do that (mostly root), or change the permissions"
)

_WORDS: Final[Mapping[int, tuple[str, str | None]]] = {
    errno.ENOENT: ("no such file or folder", "check the path: nothing stands there"),
    errno.EACCES: ("permission denied", _PERMISSIONS),
    errno.EPERM: (
        "operation not permitted",
        _PERMISSIONS + "; an immutable file (lsattr) refuses even root",
    ),
    errno.ENOSPC: ("the disk is full", "free some space there, or use another folder"),
    errno.EDQUOT: ("the disk quota is used up", "free some space there, or use another folder"),
    errno.EFBIG: ("the file would be too large", "check the file size limit (ulimit -f)"),
    errno.EROFS: (
        "the file system is mounted read-only",
        "use another folder, or mount it writable first",
    ),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "check the path"),
    errno.EEXIST: ("something of that name exists already", "remove it first, or use another name"),
    errno.ELOOP: (
        "symbolic links point at each other in a circle",
        "look at the links with ls -l and repair them",
    ),
    errno.ENAMETOOLONG: (
        "the name is too long",
        "mostly 255 bytes for one name and 4096 for a whole path are allowed",
    ),
    errno.ETXTBSY: ("the program is running", "stop it first"),
    errno.EBUSY: ("it is in use", "a mount point or a file that another program holds: free it"),
    errno.EXDEV: ("the two places are on different file systems", None),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
    errno.ENFILE: ("the system has too many open files", "wait, or raise fs.file-max"),
    errno.ENOTEMPTY: ("the folder is not empty", "empty it first"),
    errno.EMLINK: ("too many links to the file", None),
    errno.EIO: ("the disk reported an error", "look at the system's log (dmesg)"),
    errno.ESTALE: ("the network file system lost the file", "mount it again"),
    errno.ENODEV: ("the device is not there", None),
    errno.ENXIO: ("the device is not there", None),
    errno.EINVAL: ("the system does not accept the name or the operation", None),
    errno.EILSEQ: ("the file system does not accept the characters of the name", None),
    errno.EOPNOTSUPP: ("the file system cannot do that", None),
}


def explain(error: OSError) -> Explanation:
    """The reason of ``error``, with the path it names, and what to do."""
    words, hint = _WORDS.get(error.errno or 0, ("", None))
    if not words:
        words = error.strerror or str(error) or type(error).__name__
    named = [quoted(name) for name in (error.filename, error.filename2) if name is not None]
    if named:
        words = f"{words}: {' -> '.join(dict.fromkeys(named))}"
    return Explanation(words, hint)


def quoted(path: object) -> str:
    """``path`` in quotes, with anything unprintable or undecodable escaped."""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return repr(path)
