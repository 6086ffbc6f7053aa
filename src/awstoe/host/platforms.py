"""The two platforms that documents are written for."""

import sys
from enum import StrEnum
from typing import Final


class Platform(StrEnum):
    """An operating system as documents and ``--os-platforms`` name it."""

    LINUX = "linux"
    WINDOWS = "windows"


def current() -> Platform:
    """Return the platform that this process runs on."""
    return Platform.WINDOWS if sys.platform == "win32" else Platform.LINUX


REBOOT_EXIT_CODE: Final = {Platform.LINUX: 194, Platform.WINDOWS: 3010}
"""A step's program exits with it to request a reboot, and awstoe to request one from the agent."""


_ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    **dict.fromkeys(("i386", "i486", "i586", "i686", "x86"), "386"),
}


def architecture(machine: str, *, pointer_bits: int) -> str:
    """Return the architecture that this program was built for, as in download paths.

    Args:
        machine: What the system reports; a 64-bit kernel reports 64 bits to 32-bit programs too.
        pointer_bits: 32 or 64, of this process.
    """
    name = _ARCHITECTURES.get(machine.lower(), machine.lower())
    if name == "amd64" and pointer_bits == 32:  # noqa: PLR2004 - bits
        return "386"
    return name
