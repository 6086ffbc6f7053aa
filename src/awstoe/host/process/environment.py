"""The environment of child processes: the caller's, without what freezing put into it.

A frozen program's boot loader marks the process with variables of its own. With them, an awstoe
started by a document would take itself for a worker of this one. Every child gets the result of
``child_environment`` and never ``os.environ`` as it is.
"""

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import Final

from awstoe.host.executable import frozen

if sys.platform == "win32":
    # Windows: the variables this process was given, by their names as they are written.
    # ``os.environ`` has them in capitals, which programs that compare names exactly do not find.
    # With them go those without a name, in which the system keeps the current folder of each drive.
    import ctypes

    from awstoe.host import kernel32_windows as kernel32

    _CHARACTER: Final = ctypes.sizeof(ctypes.c_wchar)

    def variables() -> Mapping[str, str]:
        """All of them."""
        found = {}
        block = kernel32.api.GetEnvironmentStringsW()
        try:
            address = block
            while entry := ctypes.wstring_at(address):
                address += (len(entry) + 1) * _CHARACTER
                name, sign, value = entry[1:].partition("=")  # the first character may be a "="
                if sign:
                    found[entry[0] + name] = value
        finally:
            kernel32.api.FreeEnvironmentStringsW(block)
        return found


else:
    # Linux: the variables this process was given.

    def variables() -> Mapping[str, str]:
        """All of them; bytes that are no UTF-8 survive (surrogateescape)."""
        return os.environ


def child_environment() -> dict[str, str]:
    """The caller's environment for a child; bytes that are no UTF-8 survive (surrogateescape)."""
    environment = {
        name: value
        for name, value in variables().items()
        if not frozen.is_bootloader_variable(name)
    }
    if frozen.is_frozen():
        _undo_search_path(environment)
    return environment


@cache
def of_this_run() -> dict[str, str]:
    """``child_environment()``, made once: awstoe never changes its own, and 0.2 ms a step count."""
    return child_environment()


def _undo_search_path(environment: dict[str, str]) -> None:
    """Take the bundle's folder out of PATH, where start-up hooks of bundled packages put it."""
    bundle = frozen.bundle_folder()
    name = next((each for each in environment if each.upper() == "PATH"), None)
    if not bundle or name is None:
        return
    inside = bundle + os.sep
    environment[name] = os.pathsep.join(
        entry
        for entry in environment[name].split(os.pathsep)
        if entry != bundle and not entry.startswith(inside)
    )
