"""A Windows machine that builds."""

import os
import sys
from collections.abc import Sequence
from typing import Final

assert sys.platform == "win32"  # noqa: S101 - for the type checker, which knows this form

KEPT_VARIABLES: Final = (
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROCESSOR_ARCHITECTURE"),
    *("TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
)
"""What programs get of the caller's environment: where Windows is, and where to work."""
PRIORITY_FLAGS: Final = 0x00004000
"""Flags for starting a program: BELOW_NORMAL_PRIORITY_CLASS, which those that it starts inherit."""


def giving_way(command: Sequence[str]) -> list[str]:
    """The command itself: the flags do it."""
    return list(command)


def system_path() -> str:
    """The folders with the system's programs."""
    windows = os.environ.get("SYSTEMROOT", "C:\\Windows")
    return f"{windows}\\System32;{windows}"
