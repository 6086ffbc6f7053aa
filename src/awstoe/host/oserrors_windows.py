"""Windows: what its error codes mean.

Python maps most of them to a few numbers of POSIX ("Invalid argument"), which say less.
"""

import errno
import sys
from typing import Final

assert sys.platform == "win32"

_PERMISSIONS: Final = "run awstoe as a user who may do that (mostly an administrator), or change"
_PERMISSIONS_HINT: Final = f"{_PERMISSIONS} the permissions"
_IN_USE: Final = ("another program has it open", "close that program, or wait until it has ended")
_NO_PLACE: Final = ("the disk is full", "free some space there, or use another folder")
_NO_PATH: Final = ("no such file or folder", "check the path: nothing stands there")
_BAD_NAME: Final = (
    "the name cannot be used here",
    'a name holds none of < > : " | ? * and does not end in a dot or a space',
)

_CODES: Final[dict[int, tuple[str, str | None]]] = {
    2: _NO_PATH,
    3: ("a folder of the path does not exist", "check the path"),
    5: ("access is denied", f"{_PERMISSIONS_HINT}; a program that runs cannot be changed, either"),
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
    errno.EEXIST: ("something of that name exists already", "remove it first, or use another name"),
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

    "Invalid argument" is what codes become that have no number; the system's text says more then.
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
