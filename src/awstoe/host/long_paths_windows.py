r"""Windows: a path of 260 characters and more has to be absolute and begin with ``\\?\``.

That the system takes longer ones as they are has to be switched on for the whole machine.
"""

import os
import sys
from typing import Final

from awstoe.host import paths

assert sys.platform == "win32"

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
