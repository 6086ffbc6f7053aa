"""Path rules of both platforms, pure text, usable wherever we run.

A Windows document is validated on Linux, so its paths are parsed by Windows rules there too;
nothing in this module looks at the disk.
"""

import ntpath
import posixpath
import re
from typing import NamedTuple

from awstoe.host.platforms import Platform


class SplitPath(NamedTuple):
    """A path cut after its last separator."""

    folder: str
    """Everything up to and including the last separator; empty when there is none."""
    name: str
    """What follows the last separator; empty for a path that names a folder."""


def separators(platform: Platform) -> str:
    """The characters that separate the parts of a path."""
    return "/\\" if platform is Platform.WINDOWS else "/"


def split(path: str, platform: Platform) -> SplitPath:
    """Cut ``path`` after its last separator (after a drive letter on Windows)."""
    library = ntpath if platform is Platform.WINDOWS else posixpath
    name = library.basename(path)
    return SplitPath(path[: len(path) - len(name)], name)


def join(folder: str, name: str, platform: Platform) -> str:
    """``name`` inside ``folder``, with the platform's separator."""
    if platform is Platform.WINDOWS:
        return ntpath.join(folder, name)
    return posixpath.join(folder, name)


def is_folder_form(path: str, platform: Platform) -> bool:
    """Whether ``path`` ends in a separator, which means "into this folder"."""
    return path[-1:] in tuple(separators(platform))


def without_end_separators(path: str, platform: Platform) -> str:
    """``path`` without separators at its end; a root stays a root."""
    bare = path.rstrip(separators(platform))
    return bare if bare and not bare.endswith(":") else path


def is_absolute(path: str, platform: Platform) -> bool:
    """Whether ``path`` starts at a root of the platform."""
    if platform is Platform.WINDOWS:
        drive, rest = ntpath.splitdrive(path)
        return bool(drive) and rest[:1] in ("/", "\\")
    return posixpath.isabs(path)


def has_wildcard(path: str) -> bool:
    """Whether ``path`` holds a ``*``."""
    return "*" in path


def wildcard_problem(path: str, platform: Platform) -> str | None:
    """Why the ``*`` of ``path`` is not where it may be, or None."""
    if "*" in split(path, platform).folder:
        return f"a '*' is accepted only after the last path separator, not in {path!r}"
    return None


def matcher(pattern: str, platform: Platform) -> "re.Pattern[str]":
    """A full-match expression for a name pattern in which ``*`` is the only special character."""
    parts = (re.escape(part) for part in pattern.split("*"))
    flags = re.IGNORECASE if platform is Platform.WINDOWS else re.NOFLAG
    return re.compile("(?s:" + ".*".join(parts) + r")\Z", flags)


_LONG_PREFIX = "\\\\?\\"
_LONG_SERVER_PREFIX = "\\\\?\\UNC\\"


def long_form(path: str) -> str:
    r"""An absolute Windows path without ``.``, ``..`` and slashes, as ``\\?\`` paths have to be.

    The system takes such a path literally, with up to 32,767 characters instead of 260.
    """
    if path.startswith((_LONG_PREFIX, "\\\\.\\")):
        return path
    if path.startswith("\\\\"):
        return _LONG_SERVER_PREFIX + path[2:]
    return _LONG_PREFIX + path


def shown(path: str) -> str:
    """``path`` for a person: without what ``long_form`` put before it."""
    if path.startswith(_LONG_SERVER_PREFIX):
        return "\\\\" + path[len(_LONG_SERVER_PREFIX) :]
    return path.removeprefix(_LONG_PREFIX)


_DEVICES = frozenset(
    (
        *("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"),
        *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"),
    )
)


def name_problem(path: str, platform: Platform) -> str | None:
    """Why a file of that path cannot be had on ``platform``, or None.

    Windows takes some names for devices, in any folder and with any extension, and drops dots and
    spaces at the end of a name: what was written to such a file would be lost or land elsewhere.
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
        found = next((sign for sign in part if sign in '<>"|?' or ord(sign) < ord(" ")), None)
        if found is not None:
            return f"{part!r} holds {found!r}, which no name can hold on Windows"
    return None
