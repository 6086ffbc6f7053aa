"""The two platforms documents are written for."""

import sys
from enum import StrEnum
from typing import Final


class Platform(StrEnum):
    """An operating system as documents and ``--os-platforms`` name it."""

    LINUX = "linux"
    WINDOWS = "windows"


def current() -> Platform:
    """The platform this process runs on."""
    return Platform.WINDOWS if sys.platform == "win32" else Platform.LINUX


REBOOT_EXIT_CODE: Final = {Platform.LINUX: 194, Platform.WINDOWS: 3010}
"""With this a step's program asks for a reboot, and awstoe asks the SSM agent for one."""
