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
