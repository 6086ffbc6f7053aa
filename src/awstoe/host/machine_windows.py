"""Windows: what this machine is, and what is on it."""

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
    """The operating system by name; its version is empty here."""

    name: str
    version: str


def hostname() -> str:
    """The machine's name in the DNS, without its domain."""
    return kernel32.computer_name()


def release() -> OsRelease:
    """What the registry calls this Windows; empty where it does not say."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _VERSION_KEY) as key:
            name, _ = winreg.QueryValueEx(key, "ProductName")
    except OSError:
        return OsRelease("", "")
    return OsRelease(str(name), "")


def binary_exists(name: str) -> bool:
    """Whether ``where /Q NAME`` would find ``name``: in the current folder, too."""
    if not name:
        return False
    variables = environment.of_this_run()
    if any(map(os.path.isfile, program_search.candidates(name, variables))):
        return True
    return program_search.find(name, variables, os.path.isfile) is not None


def is_administrator() -> bool:
    """Whether we run with the rights of an administrator (elevated), or as the system."""
    return bool(ctypes.windll.shell32.IsUserAnAdmin())


def state_root() -> str:
    """The folder that holds the states of runs, by who runs us.

    Raises:
        HostError: There is no place to put it into, or another user has made that place.
    """
    administrator = is_administrator()
    name = "ProgramData" if administrator else "LOCALAPPDATA"
    base = os.environ.get(name)
    if not base or not os.path.isabs(base):
        raise HostError(
            f"there is no folder for the state of this run: {name} is not set",
            hint="name one with --state-directory",
        )
    folder = os.path.join(base, "awstoe")
    if administrator:
        _keep_to_ourselves(folder)
    return os.path.join(folder, "state")


def _keep_to_ourselves(folder: str) -> None:
    """Make a folder of administrators where everybody may make folders, or see that it is one.

    Raises:
        HostError: It cannot be made, or may be another user's.
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
                hint="remove it, or name another folder with --state-directory",
            ) from None
    except OSError as error:
        raise explain(error, f"use the folder {folder}") from error
