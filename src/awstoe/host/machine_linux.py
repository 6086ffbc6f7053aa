"""Linux: facts about this machine."""

import os
import sys
from typing import NamedTuple

from awstoe.errors import HostError
from awstoe.host.files import file_types
from awstoe.host.files.file_types import FileType

assert sys.platform == "linux"

# What `type` finds in bash besides files: builtins and reserved words.
_SHELL_WORDS = frozenset(
    (  # noqa: SIM905 - a list of 80 quoted words is not easier to read
        "! . : [ [[ ]] alias bg bind break builtin caller case cd command compgen complete compopt"
        " continue coproc declare dirs disown do done echo elif else enable esac eval exec exit"
        " export false fc fg fi for function getopts hash help history if in jobs kill let local"
        " logout mapfile popd printf pushd pwd read readarray readonly return select set shift"
        " shopt source suspend test then time times trap true type typeset ulimit umask unalias"
        " unset until wait while { }"
    ).split()
)
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")


class OsRelease(NamedTuple):
    """The operating system by name and version."""

    name: str
    version: str


def hostname() -> str:
    """Return the machine's name."""
    return os.uname().nodename


def release() -> OsRelease:
    """Return the content of ``os-release``; empty if there is none."""
    for path in _OS_RELEASE:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            continue
        pairs = (line.split("=", 1) for line in lines if "=" in line and line[:1] != "#")
        values = {name.strip(): value.strip().strip("\"'") for name, value in pairs}
        return OsRelease(values.get("NAME", ""), values.get("VERSION_ID", ""))
    return OsRelease("", "")


def binary_exists(name: str) -> bool:
    """Whether ``type NAME`` would find ``name`` in bash."""
    if not name:
        return False
    if "/" in name:
        return file_types.decided_type(name) is FileType.FILE and os.access(name, os.X_OK)
    if name in _SHELL_WORDS:
        return True
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return any(_executable(os.path.join(folder or ".", name)) for folder in folders)


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def is_administrator() -> bool:
    """Whether we are root."""
    return os.geteuid() == 0


def state_root() -> str:
    """Return the folder for the state of runs: root's, or the user's.

    Raises:
        HostError: The user has no home folder.
    """
    if is_administrator():
        return "/var/lib/awstoe/state"
    base = os.environ.get("XDG_STATE_HOME")
    if base and os.path.isabs(base):
        return os.path.join(base, "awstoe", "state")
    home = os.environ.get("HOME")
    if home:
        return os.path.join(home, ".local", "state", "awstoe", "state")
    raise HostError(
        "there is no folder for the state of this run: neither XDG_STATE_HOME nor HOME is set",
        hint="set one with --state-directory",
    )
