"""Linux: where temporary files go."""

import os
import sys
from typing import Final

assert sys.platform == "linux"

VARIABLE: Final = "TMPDIR"
"""What names another folder."""
ONCE: Final = 0
"""What makes a file vanish at its close: here its name is taken away at once."""


def parent_folder() -> str:
    """The folder for temporary files: ``TMPDIR``, else the system's."""
    # What is made below it has an unpredictable name and 0700.
    return os.path.abspath(os.environ.get(VARIABLE) or "/tmp")  # noqa: S108


def take_name_away(path: str) -> None:
    """Leave nothing but the open file.

    Raises:
        OSError: The system refused.
    """
    os.unlink(path)
