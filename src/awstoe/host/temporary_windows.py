"""Windows: where temporary files go."""

import os
import sys
from typing import Final

assert sys.platform == "win32"

VARIABLE: Final = "TMP"
"""What names another folder."""
ONCE: Final = os.O_TEMPORARY | os.O_BINARY | os.O_NOINHERIT
"""What makes a file vanish at its close, also when the process is killed."""


def parent_folder() -> str:
    r"""The folder for temporary files: ``TMP``, ``TEMP``, else ``%SystemRoot%\Temp``."""
    found = os.environ.get(VARIABLE) or os.environ.get("TEMP")
    if not found:
        found = os.path.join(os.environ.get("SYSTEMROOT") or r"C:\Windows", "Temp")
    return os.path.abspath(found)


def take_name_away(path: str) -> None:
    """Nothing to do: an open file keeps its name until its close."""
    del path
