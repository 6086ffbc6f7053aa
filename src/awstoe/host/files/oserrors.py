"""What a failed system call means, in a document author's words.

``OSError`` carries a number and a text such as "Device or resource busy"; a person needs to hear
which path it was about, what that means for a file, and what to do. The file-system actions turn
every ``OSError`` into an ``ActionError`` with these words.
"""

import os
import sys
from typing import Final, NamedTuple

from awstoe.host.files import paths

if sys.platform == "win32":
    # Windows: what its error codes mean.
    # Python maps most of them to a few numbers of POSIX ("Invalid argument"), which say less.
    import errno

    _PERMISSIONS: Final = (
        "run awstoe as a user who may do that (mostly an administrator), or change"
    )
    _PERMISSIONS_HINT: Final = f"{_PERMISSIONS} the permissions"
    _IN_USE: Final = (
        "another program has it open",
        "close that program, or wait until it has ended",
    )
    _NO_PLACE: Final = ("the disk is full", "free some space there, or use another folder")
    _NO_PATH: Final = ("no such file or folder", "check the path: nothing stands there")
    _BAD_NAME: Final = (
        "the name cannot be used here",
        'a name holds none of < > : " | ? * and does not end in a dot or a space',
    )

    _CODES: Final[dict[int, tuple[str, str | None]]] = {
        2: _NO_PATH,
        3: ("a folder of the path does not exist", "check the path"),
        5: (
            "access is denied",
            f"{_PERMISSIONS_HINT}; a program that runs cannot be changed, either",
        ),
        17: ("the two places are on different disks", None),
        19: ("the disk is write-protected", "use another folder"),
        21: ("the drive is not ready", "check the drive"),
        32: _IN_USE,
        33: _IN_USE,
        39: _NO_PLACE,
        53: ("the server was not found", "check the network path"),
        67: ("the share was not found", "check the network path"),
        80: ("something of that name exists already", "remove it first, or use another name"),
        87: ("the system does not accept the name or the operation", None),
        112: _NO_PLACE,
        123: _BAD_NAME,
        145: ("the folder is not empty", "empty it first"),
        161: _BAD_NAME,
        183: ("something of that name exists already", "remove it first, or use another name"),
        206: ("the path is too long", "a name has 255 characters at most"),
        225: ("the virus scanner refused it", "look into the virus scanner's log"),
        267: ("a part of the path is a file, not a folder", "check the path"),
        1117: ("the disk reported an error", "look into the system's event log"),
        1295: ("the disk quota is used up", "free some space there, or use another folder"),
        1314: (
            "making links needs a privilege that this user does not have",
            "run awstoe as an administrator, or switch on the system's developer mode",
        ),
        1392: ("the file or folder is damaged", "check the disk with chkdsk"),
        1920: ("the system cannot open it", "a link there may lead nowhere"),
        1921: (
            "symbolic links point at each other in a circle",
            "look at the links with dir /al and repair them",
        ),
        4390: ("it is no link", None),
    }
    _NUMBERS: Final[dict[int, tuple[str, str | None]]] = {
        errno.ENOENT: _NO_PATH,
        errno.EACCES: ("permission denied", _PERMISSIONS_HINT),
        errno.EPERM: ("operation not permitted", _PERMISSIONS_HINT),
        errno.ENOSPC: _NO_PLACE,
        errno.EISDIR: ("it is a folder", "name a file"),
        errno.ENOTDIR: ("a part of the path is a file, not a folder", "check the path"),
        errno.EEXIST: (
            "something of that name exists already",
            "remove it first, or use another name",
        ),
        errno.ENAMETOOLONG: ("the name is too long", "a name has 255 characters at most"),
        errno.EMFILE: ("too many files are open", None),
        errno.ENOTEMPTY: ("the folder is not empty", "empty it first"),
        errno.EINVAL: ("the system does not accept the name or the operation", None),
    }
    _BEYOND: Final = 1 << 32
    """Windows' codes and POSIX' numbers share one table: the former are put above this."""

    WORDS: Final = {_BEYOND + code: words for code, words in _CODES.items()} | _NUMBERS

    def number(error: OSError) -> int:
        """The number that ``WORDS`` knows the error by: the system's own code where there is one.

        "Invalid argument" stands for every code without a number of its own; then the system's
        text says more.
        """
        code = _BEYOND + (error.winerror or 0)
        if code in WORDS:
            return code
        return 0 if error.winerror and error.errno == errno.EINVAL else error.errno or 0

    def readable(text: str) -> str:
        """A path in quotes, with escapes, as it is shown: no backslash of it is doubled.

        What else a backslash escapes cannot be part of a name here, or is no letter.
        """
        return text.replace("\\\\", "\\")


else:
    # Linux: what the numbers of failed system calls mean.
    import errno

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
        errno.EEXIST: (
            "something of that name exists already",
            "remove it first, or use another name",
        ),
        errno.ELOOP: (
            "symbolic links point at each other in a circle",
            "look at the links with ls -l and repair them",
        ),
        errno.ENAMETOOLONG: (
            "the name is too long",
            "mostly 255 bytes for one name and 4096 for a whole path are allowed",
        ),
        errno.ETXTBSY: ("the program is running", "stop it first"),
        errno.EBUSY: (
            "it is in use",
            "a mount point or a file that another program holds: free it",
        ),
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


class Explanation(NamedTuple):
    """An ``OSError`` for a person."""

    reason: str
    """What went wrong, with the path it was about when the system named one."""
    hint: str | None
    """What to do about it."""


def explain(error: OSError) -> Explanation:
    """The reason of ``error``, with the path it names, and what to do."""
    words, hint = WORDS.get(number(error), ("", None))
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
    return readable(repr(paths.shown(str(path))))
