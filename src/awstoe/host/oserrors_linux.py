"""Linux: what the numbers of failed system calls mean."""

import errno
import sys
from typing import Final

assert sys.platform == "linux"

_PERMISSIONS: Final = (
    "run awstoe as a user who may do that (mostly root), or change the permissions"
)

WORDS: Final[dict[int, tuple[str, str | None]]] = {
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


def number(error: OSError) -> int:
    """The number that ``WORDS`` knows the error by."""
    return error.errno or 0


def readable(text: str) -> str:
    """A path in quotes, with escapes, as it is shown."""
    return text
