"""Linux: paths have one form, and 4096 bytes are enough."""

import sys

assert sys.platform == "linux"


def usable(path: str) -> str:
    """``path`` as the system takes it."""
    return path


def deep(path: str) -> str:
    """``path`` so that the paths of all that is below it can be used, too."""
    return path
