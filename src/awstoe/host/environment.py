"""The environment of child processes: the caller's, without what freezing put into it.

A frozen program's boot loader marks the process with variables of its own. With them, an awstoe
started by a document would take itself for a worker of this one. Every child gets the result of
``child_environment`` and never ``os.environ`` as it is.
"""

import os
import sys
from functools import cache

from awstoe.host import frozen

if sys.platform == "win32":
    from awstoe.host import environment_windows as _platform
else:
    from awstoe.host import environment_linux as _platform


def child_environment() -> dict[str, str]:
    """The caller's environment for a child; bytes that are no UTF-8 survive (surrogateescape)."""
    environment = {
        name: value
        for name, value in _platform.variables().items()
        if not frozen.is_boot_loader_variable(name)
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
