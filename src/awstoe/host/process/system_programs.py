"""Finds the programs that awstoe itself runs, such as bash, systemctl or msiexec.exe.

They are searched in PATH like all programs, but not in folders in which another user could put a
program with such a name: neither in relative ones, whose meaning depends on the working folder, nor
in those that others may write to. On Windows, the system's own folder comes last, so that programs
are found without PATH.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from awstoe.host.files import foreign_writes

if sys.platform == "win32":
    from awstoe.host import kernel32_windows
    from awstoe.host.process import program_search

    NAMES: Final = frozenset({"msiexec.exe", "powershell.exe", "schtasks.exe", "shutdown.exe"})
    """Those that awstoe runs by their name."""

    def _folders(environment: Mapping[str, str]) -> Iterator[str]:
        yield from program_search.folders(environment)
        system = kernel32_windows.system_folder()
        yield from (system, os.path.join(system, "WindowsPowerShell", "v1.0"))

    def _in(folder: str, name: str, environment: Mapping[str, str]) -> str | None:
        own = {**environment, "PATH": folder}
        return program_search.find(name, own, os.path.isfile)


else:
    NAMES: Final = frozenset(
        {
            *("apk", "apt-get", "bash", "crontab", "dnf", "dpkg-query", "env", "needs-restarting"),
            *("reboot", "rpm", "shutdown", "systemctl", "yum", "zypper"),
        }
    )
    """Those that awstoe runs by their name."""

    def _folders(environment: Mapping[str, str]) -> Iterator[str]:
        yield from environment.get("PATH", os.defpath).split(os.pathsep)

    def _in(folder: str, name: str, environment: Mapping[str, str]) -> str | None:
        del environment
        path = os.path.join(folder, name)
        return path if os.path.isfile(path) and os.access(path, os.X_OK) else None


_found: dict[tuple[str, str], str] = {}
"""What was found, by the program's name and PATH: steps start bash by the hundred."""


def find(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the path of a program of the system, or None if it is in no safe folder of PATH."""
    key = (name, environment.get("PATH", ""))
    if not os.path.exists(_found.get(key, "")):
        path = next(_candidates(name, environment), None)
        if path is None:
            return None
        _found[key] = path
    return _found[key]


def _candidates(name: str, environment: Mapping[str, str]) -> Iterator[str]:
    for folder in _folders(environment):
        path = _in(folder, name, environment) if os.path.isabs(folder) else None
        if path is not None and not _is_foreign(folder):
            yield path


def _is_foreign(folder: str) -> bool:
    try:
        return foreign_writes.possible(folder)
    except OSError:
        return True
