"""The two platforms documents are written for."""

import sys
from enum import StrEnum


class Platform(StrEnum):
    """An operating system as documents and ``--os-platforms`` name it."""

    LINUX = "linux"
    WINDOWS = "windows"


def current() -> Platform:
    """The platform this process runs on."""
    return Platform.WINDOWS if sys.platform == "win32" else Platform.LINUX
