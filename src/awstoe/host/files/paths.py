"""The path rules of both platforms, as pure text, usable on either.

A Windows document can be validated on Linux, so its paths are parsed by Windows rules there too.
Nothing in this module accesses the disk.
"""

import ntpath
import posixpath
import re
from typing import NamedTuple

from awstoe.host.platforms import Platform
from awstoe.late_patterns import pattern


class SplitPath(NamedTuple):
    """A path cut after its last separator."""

    folder: str
    """Everything up to and including the last separator; empty if there is none."""
    name: str
    """What follows the last separator; empty for a path that names a folder."""


def separators(platform: Platform) -> str:
    """Return the characters that separate the parts of a path."""
    return "/\\" if platform is Platform.WINDOWS else "/"


def split(path: str, platform: Platform) -> SplitPath:
    """Cut ``path`` after its last separator (after a drive letter on Windows)."""
    library = ntpath if platform is Platform.WINDOWS else posixpath
    name = library.basename(path)
    return SplitPath(path[: len(path) - len(name)], name)


def join(folder: str, name: str, platform: Platform) -> str:
    """Return ``name`` inside ``folder``, with the platform's separator."""
    if platform is Platform.WINDOWS:
        return ntpath.join(folder, name)
    return posixpath.join(folder, name)


def is_folder_form(path: str, platform: Platform) -> bool:
    """Whether ``path`` ends in a separator, which means "into this folder"."""
    return path[-1:] in tuple(separators(platform))


def without_end_separators(path: str, platform: Platform) -> str:
    """Return ``path`` without separators at its end; a root stays a root."""
    bare = path.rstrip(separators(platform))
    return bare if bare and not bare.endswith(":") else path


def has_wildcard(path: str) -> bool:
    """Whether ``path`` contains a ``*``."""
    return "*" in path


def wildcard_problem(path: str, platform: Platform) -> str | None:
    """Return why the ``*`` of ``path`` is in the wrong part of it, or None."""
    if "*" in split(path, platform).folder:
        return f"a '*' is accepted only after the last path separator, not in {path!r}"
    return None


def matcher(pattern: str, platform: Platform) -> "re.Pattern[str]":
    """Return a full-match expression for a name pattern; only ``*`` is special in it."""
    parts = (re.escape(part) for part in pattern.split("*"))
    flags = re.IGNORECASE if platform is Platform.WINDOWS else re.NOFLAG
    return re.compile("(?s:" + ".*".join(parts) + r")\Z", flags)


_LONG_PREFIX = "\\\\?\\"
_LONG_SERVER_PREFIX = "\\\\?\\UNC\\"


def long_form(path: str) -> str:
    r"""Return an absolute Windows path, without ``.``, ``..`` and slashes, as a ``\\?\`` path.

    The system uses such a path literally, with up to 32,767 characters instead of 260.
    """
    if path.startswith((_LONG_PREFIX, "\\\\.\\")):
        return path
    if path.startswith("\\\\"):
        return _LONG_SERVER_PREFIX + path[2:]
    return _LONG_PREFIX + path


def shown(path: str) -> str:
    """Return ``path`` for a user: without the prefix of ``long_form``."""
    if path.startswith(_LONG_SERVER_PREFIX):
        return "\\\\" + path[len(_LONG_SERVER_PREFIX) :]
    return path.removeprefix(_LONG_PREFIX)


_CONTROLS = pattern("[\0-\x1f\x7f-\x9f\u2028\u2029]")
_NAMED = {
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a carriage return",
    "\x85": "a line separator",
    "\u2028": "a line separator",
    "\u2029": "a paragraph separator",
}


def control_problem(path: str) -> str | None:
    """Return which control character or line separator ``path`` contains, or None.

    Systems accept most of them in names, but in a document they are always a mistake: an escape
    that was not meant as one, or the end of a line of output.
    """
    found = _CONTROLS.search(path)
    if found is None:
        return None
    sign = found[0]
    return f"it contains {_NAMED.get(sign, 'a control character')} (U+{ord(sign):04X})"


class Unexpanded(NamedTuple):
    """A part of a path that a shell would replace, and awstoe does not."""

    shown: str
    """As written, for example ``$HOME``."""
    variable: str
    """The environment variable that has the value; empty if there is no such variable."""
    start: int
    """Its offset in the path."""


_WORD = "[A-Za-z_][A-Za-z0-9_]*"
_END = r"(?=[/\\]|$)"
# A name such as C:\$WINDOWS.~BT is not a variable.
_UNEXPANDED = pattern(
    rf"^~(?:{_END}|(?P<user>[a-z_][a-z0-9_-]*)(?=[/\\]))"
    rf"|\$(?P<scope>[Ee][Nn][Vv]):(?P<powershell>{_WORD})"
    rf"|\$\{{(?:[Ee][Nn][Vv]:)?(?P<braced>{_WORD})\}}"
    rf"|^\$(?P<first>{_WORD}){_END}"
    r"|\$(?P<upper>[A-Z][A-Z0-9_]++)(?![A-Za-z0-9$])"
    r"|%(?P<percent>[A-Za-z_][A-Za-z0-9_()]*)%"
    r"|(?P<command>\$\([^)]*\)|`[^`]*`)"
)


_SIGNS = frozenset("~$%`")
"""Without one of these, no part of a path is one that a shell replaces."""


def unexpanded(path: str, platform: Platform) -> Unexpanded | None:
    """Return the first part of ``path`` that only a shell would replace, or None.

    These are ``~``, variables of the shells of both platforms, and command substitutions.
    """
    if _SIGNS.isdisjoint(path):
        return None
    for found in _UNEXPANDED.finditer(path):
        kind = found.lastgroup
        name = "HOME" if kind is None else found[kind]
        if kind in ("user", "command"):
            name = ""
        elif name == "HOME" and platform is Platform.WINDOWS:
            name = "USERPROFILE"
        if kind == "upper" and platform is Platform.WINDOWS:
            continue  # a share or a system folder, as in \\server\C$ or C:\$RECYCLE
        return Unexpanded(found[0], name, found.start())
    return None


_DEVICES = frozenset(
    (
        *("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"),
        *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"),
    )
)


def name_problem(path: str, platform: Platform) -> str | None:
    """Return why ``platform`` cannot have a file with that path, or None.

    Windows treats some names as devices, in any folder and with any extension, and drops dots and
    spaces at the end of a name. What was written to such a file would be lost, or be in another.
    """
    if platform is not Platform.WINDOWS or path.startswith(_LONG_PREFIX):
        return None
    _, rest = ntpath.splitdrive(path)
    for part in re.split(r"[\\/]", rest):
        stem = part.partition(".")[0].partition(":")[0].rstrip(" ").upper()
        if stem in _DEVICES:
            return f"{part!r} is the name of a device on Windows"
        if part.strip(".") and part[-1:] in ". ":
            return f"{part!r} ends in a dot or a space, which Windows drops"
        invalid = next((sign for sign in part if sign in '<>"|?' or ord(sign) < ord(" ")), None)
        if invalid is not None:
            return f"{part!r} contains {invalid!r}, which is not allowed in names on Windows"
    return None
