"""Windows: facts about this machine."""

import ctypes
import os
import sys
import winreg
from typing import Final, NamedTuple

from awstoe.errors import HostError
from awstoe.host import kernel32_windows as kernel32
from awstoe.host.files import access_lists_windows as access_lists
from awstoe.host.files import file_types
from awstoe.host.files.own_files import PRIVATE_FOLDER, explain
from awstoe.host.process import environment, program_search

assert sys.platform == "win32"

_ADMINISTRATORS: Final = frozenset({"S-1-5-18", "S-1-5-32-544"})
"""The security identifiers of the system and of the group of administrators."""
_VERSION_KEY: Final = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"


class OsRelease(NamedTuple):
    """The operating system by name; its version is always empty."""

    name: str
    version: str


def hostname() -> str:
    """Return the machine's DNS name without its domain."""
    return kernel32.computer_name()


def release() -> OsRelease:
    """Return the product name in the registry; empty if there is none."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _VERSION_KEY) as key:
            name, _ = winreg.QueryValueEx(key, "ProductName")
    except OSError:
        return OsRelease("", "")
    return OsRelease(str(name), "")


def binary_exists(name: str) -> bool:
    """Whether ``where /Q NAME`` would find ``name``, which also searches the current folder."""
    if not name:
        return False
    variables = environment.of_this_run()
    is_file = _is_file if program_search.has_folder(name) else os.path.isfile
    if any(map(is_file, program_search.candidates(name, variables))):
        return True
    return program_search.find(name, variables, os.path.isfile) is not None


def _is_file(path: str) -> bool:
    return file_types.decided_type(path) is file_types.FileType.FILE


def is_administrator() -> bool:
    """Whether we run elevated, as an administrator or as the system."""
    return bool(ctypes.windll.shell32.IsUserAnAdmin())


def state_root() -> str:
    """Return the folder for the state of runs: the administrators', or the user's.

    Raises:
        HostError: The variable for it is not set, or the folder belongs to another user.
    """
    administrator = is_administrator()
    name = "ProgramData" if administrator else "LOCALAPPDATA"
    base = os.environ.get(name)
    if not base or not os.path.isabs(base):
        raise HostError(
            f"there is no folder for the state of this run: {name} is not set",
            hint="set one with --state-directory",
        )
    folder = os.path.join(base, "awstoe")
    if administrator:
        _keep_to_ourselves(folder)
    return os.path.join(folder, "state")


def _keep_to_ourselves(folder: str) -> None:
    """Make a folder for administrators only, or check that an existing one is safe.

    Raises:
        HostError: It cannot be made, or another user may own it.
    """
    try:
        try:
            os.mkdir(folder, PRIVATE_FOLDER)
        except FileExistsError:
            owner = access_lists.owner(folder)
            trusted = owner in _ADMINISTRATORS or owner == access_lists.own_identifier()
            if trusted and not file_types.is_link(folder):
                return
            raise HostError(
                f"the folder {folder} belongs to another user ({owner}), who could change the"
                " state of this run",
                hint="remove it, or set another folder with --state-directory",
            ) from None
    except OSError as error:
        raise explain(error, f"use the folder {folder}") from error
