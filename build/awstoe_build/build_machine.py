"""The build machine: which variables its programs need, and how to run them at low priority."""

import os
import sys
from collections.abc import Sequence
from typing import Final

if sys.platform == "win32":
    KEPT_VARIABLES: Final = (
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROCESSOR_ARCHITECTURE"),
        *("TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    )
    """The variables that programs get from the caller: the folders of Windows and the user."""
    PRIORITY_FLAGS: Final = 0x00004000
    """Flags to start a program with: BELOW_NORMAL_PRIORITY_CLASS, which its children inherit."""

    def at_low_priority(command: Sequence[str]) -> list[str]:
        """Return the command itself, because the flags set the priority."""
        return list(command)

    def system_path() -> str:
        """Return the search path with the folders of the system's programs."""
        windows = os.environ.get("SYSTEMROOT", "C:\\Windows")
        return f"{windows}\\System32;{windows}"


else:
    _NICENESS: Final = 15
    KEPT_VARIABLES: Final = ("HOME", "TMPDIR")
    """The variables that programs get from the caller: the folders of the user."""
    PRIORITY_FLAGS: Final = 0
    """Flags to start a program with. Linux has none."""

    def at_low_priority(command: Sequence[str]) -> list[str]:
        """Return the command that runs another one at low priority."""
        return ["nice", "-n", str(_NICENESS), *command]

    def system_path() -> str:
        """Return the search path with the folders of the system's programs."""
        return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
