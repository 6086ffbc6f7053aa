"""Linux: exit codes."""

import signal
import sys
from typing import Final

assert sys.platform == "linux"

_SIGNAL_OFFSET: Final = 128
"""Shells report a program that signal N ended as 128 + N, and so do we."""


def meaning(exit_code: int) -> str | None:
    """What ended the program, if the exit code says so."""
    try:
        return f"signal {signal.Signals(exit_code - _SIGNAL_OFFSET).name}"
    except ValueError:
        return None


def hint(exit_code: int) -> str | None:
    """What to do about it."""
    if exit_code == _SIGNAL_OFFSET + signal.SIGKILL:
        return "Often the system ran out of memory and ended it: look at dmesg."
    return None
