"""The machine that builds: what its programs need of the environment, and how they give way."""

import os
import sys
from collections.abc import Sequence
from typing import Final

if sys.platform == "win32":
    # A Windows machine that builds.

    KEPT_VARIABLES: Final = (
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROCESSOR_ARCHITECTURE"),
        *("TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    )
    """What programs get of the caller's environment: where Windows is, and where to work."""
    PRIORITY_FLAGS: Final = 0x00004000
    """Flags for starting a program: BELOW_NORMAL_PRIORITY_CLASS, which its children inherit."""

    def at_low_priority(command: Sequence[str]) -> list[str]:
        """The command itself: the flags do it."""
        return list(command)

    def system_path() -> str:
        """The folders with the system's programs."""
        windows = os.environ.get("SYSTEMROOT", "C:\\Windows")
        return f"{windows}\\System32;{windows}"


else:
    # A Linux machine that builds.

    _NICENESS: Final = 15
    KEPT_VARIABLES: Final = ("HOME", "TMPDIR")
    """What programs get of the caller's environment: where to work."""
    PRIORITY_FLAGS: Final = 0
    """Flags for starting a program; Linux has none."""

    def at_low_priority(command: Sequence[str]) -> list[str]:
        """The command that runs another at low priority."""
        return ["nice", "-n", str(_NICENESS), *command]

    def system_path() -> str:
        """The folders with the system's programs."""
        return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
