"""The environment of child processes: the caller's, without what freezing added to it.

A frozen program's bootloader sets variables for its own child. With them, an awstoe that a document
starts would take itself for that child. Every child process gets the result of
``child_environment`` and never ``os.environ`` as it is.
"""

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import Final

from awstoe.host.executable import frozen

if sys.platform == "win32":
    import ctypes

    from awstoe.host import kernel32_windows as kernel32

    _CHARACTER: Final = ctypes.sizeof(ctypes.c_wchar)

    def _variables() -> Mapping[str, str]:
        # ``os.environ`` has the names in upper case; programs that compare exactly miss them then.
        # It also lacks the variables that start with "=": the current folder of each drive.
        variables = {}
        block = kernel32.api.GetEnvironmentStringsW()
        try:
            address = block
            while entry := ctypes.wstring_at(address):
                address += (len(entry) + 1) * _CHARACTER
                name, sign, value = entry[1:].partition("=")
                if sign:
                    variables[entry[0] + name] = value
        finally:
            kernel32.api.FreeEnvironmentStringsW(block)
        return variables


else:

    def _variables() -> Mapping[str, str]:
        return os.environ


def child_environment() -> dict[str, str]:
    """Return the caller's environment for a child; bytes that are not UTF-8 stay as they are."""
    environment = {
        name: value
        for name, value in _variables().items()
        if not frozen.is_bootloader_variable(name)
    }
    if frozen.is_frozen():
        _undo_search_path(environment)
    return environment


@cache
def of_this_run() -> dict[str, str]:
    """Return ``child_environment()``, computed once: it never changes, and takes 0.2 ms."""
    return child_environment()


def _undo_search_path(environment: dict[str, str]) -> None:
    """Remove the bundle's folder from PATH, where start-up hooks of bundled packages put it."""
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
