"""Paths that are longer than a system takes in their usual form."""

import os
import sys
from typing import Final

from awstoe.host.files import paths

if sys.platform == "win32":
    # Windows: a path of 260 characters and more has to be absolute and begin with ``\\?\``.
    # That the system takes longer ones as they are has to be switched on for the whole machine.

    _SHORT: Final = 240
    """Folders may have 248 characters, and a staging name of ours is longer than most names."""

    def usable(path: str) -> str:
        """``path`` as the system takes it."""
        if len(path) < _SHORT and len(os.path.abspath(path)) < _SHORT:
            return path
        return deep(path)

    def deep(path: str) -> str:
        """``path`` so that the paths of all that is below it can be used, too."""
        separator = path[-1:] if path[-1:] in ("/", "\\") else ""
        absolute = os.path.abspath(path)
        if separator and not absolute.endswith("\\"):
            absolute += "\\"
        return paths.long_form(absolute)


else:
    # Linux: paths have one form, and 4096 bytes are enough.

    def usable(path: str) -> str:
        """``path`` as the system takes it."""
        return path

    def deep(path: str) -> str:
        """``path`` so that the paths of all that is below it can be used, too."""
        return path
