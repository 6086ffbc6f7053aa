"""Expands a ``*`` after the last separator of a path.

As in Go's ``filepath.Match``, ``*`` matches any number of characters, leading dots included. No
other character is special.
"""

import os

from awstoe.errors import ActionError
from awstoe.host.files import file_types, paths
from awstoe.host.files.oserrors import quoted
from awstoe.host.platforms import current


def expand(path: str) -> list[str]:
    """Return the existing paths that ``path`` matches, sorted; none is not an error.

    Raises:
        ActionError: The folder does not exist, or the ``*`` is not in the last part.
        OSError: The folder cannot be read.
    """
    platform = current()
    if problem := paths.wildcard_problem(path, platform):
        raise ActionError(problem)
    folder, pattern = paths.split(path, platform)
    file_types.require_folder(folder or os.curdir)
    matches = paths.matcher(pattern, platform).match
    return sorted(folder + name for name in os.listdir(folder or os.curdir) if matches(name))


def sources(path: str, wanted: str) -> list[str]:
    """What a copy or a move starts from: ``path`` itself, or the ``wanted`` things it matches.

    Args:
        path: A path, or a pattern.
        wanted: ``file`` or ``folder``. A pattern passes over folders when files are wanted, and
            over everything else when folders are.

    Raises:
        ActionError: A pattern matches nothing of that kind.
        OSError: The folder cannot be read.
    """
    if not paths.has_wildcard(path):
        return [path]
    folders = wanted == "folder"
    found = [match for match in expand(path) if os.path.isdir(match) == folders]
    if not found:
        raise ActionError(
            f"no {wanted} matches {quoted(path)}",
            hint="check the pattern: '*' matches any characters in the last part of the path",
        )
    return found
