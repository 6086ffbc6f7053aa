"""A Linux machine that builds."""

import sys
from collections.abc import Sequence
from typing import Final

assert sys.platform == "linux"  # noqa: S101 - for the type checker, which knows this form

_NICENESS: Final = 15
KEPT_VARIABLES: Final = ("HOME", "TMPDIR")
"""What programs get of the caller's environment: where to work."""
PRIORITY_FLAGS: Final = 0
"""Flags for starting a program; Linux has none."""


def giving_way(command: Sequence[str]) -> list[str]:
    """The command that runs another at low priority."""
    return ["nice", "-n", str(_NICENESS), *command]


def system_path() -> str:
    """The folders with the system's programs."""
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
