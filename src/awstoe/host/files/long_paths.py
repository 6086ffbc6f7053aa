r"""Paths in the form that system calls accept.

On Windows, a path of 260 characters or more has to be absolute and start with ``\\?\``, unless long
paths are enabled for the whole machine. Linux accepts paths as they are.
"""

import os
import sys
from typing import Final

from awstoe.host.files import paths

if sys.platform == "win32":
    _SHORT: Final = 240
    """Folders may have 248 characters, and our staging names are longer than most names."""

    def usable(path: str) -> str:
        """Return ``path`` in a form that system calls accept."""
        if len(path) < _SHORT and len(os.path.abspath(path)) < _SHORT:
            return path
        return deep(path)

    def deep(path: str) -> str:
        """Return ``path`` in a form that system calls accept, with anything appended to it."""
        separator = path[-1:] if path[-1:] in ("/", "\\") else ""
        absolute = os.path.abspath(path)
        if separator and not absolute.endswith("\\"):
            absolute += "\\"
        return paths.long_form(absolute)


else:

    def usable(path: str) -> str:
        """Return ``path`` unchanged."""
        return path

    def deep(path: str) -> str:
        """Return ``path`` unchanged."""
        return path
