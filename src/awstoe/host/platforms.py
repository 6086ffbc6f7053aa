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


_ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    **dict.fromkeys(("i386", "i486", "i586", "i686", "x86"), "386"),
}


def architecture(machine: str, *, pointer_bits: int) -> str:
    """The architecture this program was built for, as download paths name it.

    Args:
        machine: What the system says it is; a 64-bit kernel says so to a 32-bit program too.
        pointer_bits: 32 or 64, of this process.
    """
    found = _ARCHITECTURES.get(machine.lower(), machine.lower())
    if found == "amd64" and pointer_bits == 32:  # noqa: PLR2004 - bits
        return "386"
    return found
