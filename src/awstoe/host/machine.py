"""Facts about this machine: time, names, files, programs on the PATH."""

import os
import re
import signal
import time
from types import FrameType

from awstoe.errors import HostError
from awstoe.host import platforms

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


class HostMachine:
    """This machine, as runs and conditions see it.

    Names that cannot change during a run are read once.
    """

    def __init__(self) -> None:
        self._release: dict[str, str] | None = None
        self._hostname: str | None = None

    # --- time and names -------------------------------------------------------------------------

    def now(self) -> str:
        """The time, UTC, as ``2022-05-25T14:01:45Z``."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def execution_id(self) -> str:
        """A new version-1 UUID with a random node: no address of this machine is told."""
        return _version_1_uuid()

    def environment(self, name: str) -> str | None:
        """An environment variable of the caller, or None."""
        return os.environ.get(name)

    def context(self, key: str) -> str:
        """The value of a ``context:`` key that this machine knows.

        Raises:
            KeyError: It does not know it.
        """
        match key:
            case "date":
                return time.strftime("%Y-%m-%d", time.gmtime())
            case "dateTime":
                return self.now()
            case "uuid":
                return _version_4_uuid()
            case "hostname":
                if self._hostname is None:
                    self._hostname = _hostname()
                return self._hostname
            case "osPlatform":
                return platforms.current()
            case "osName":
                return self._os_release().get("NAME", "")
            case "osVersion":
                return self._os_release().get("VERSION_ID", "")
            case _:
                raise KeyError(key)

    def _os_release(self) -> dict[str, str]:
        if self._release is None:
            self._release = _read_os_release()
        return self._release

    # --- files and programs ---------------------------------------------------------------------

    def real_path(self, path: str) -> str:
        """``path``, absolute and without links."""
        return os.path.realpath(path)

    def hint_beside(self, path: str, document: str) -> str | None:
        """What to do when ``path`` is missing here but lies beside ``document``."""
        beside = os.path.join(os.path.dirname(document), path)
        if os.path.exists(path) or not os.path.isfile(beside):
            return None
        return (
            f"there is one at {beside}: a relative path counts from the working directory, not from"
            " the document that names it"
        )

    def file_exists(self, path: str) -> bool:
        """Whether ``path`` is there and no folder (``[ -f ]`` of a device is true here)."""
        return os.path.isfile(path)

    def folder_exists(self, path: str) -> bool:
        """Whether ``path`` is a folder."""
        return os.path.isdir(path)

    def file_hash(self, path: str, algorithm: str) -> str | None:
        """The hash of a regular file in lower-case hex, or None when it cannot be read."""
        import hashlib  # noqa: PLC0415 - loads OpenSSL, which few documents need

        if not os.path.isfile(path):
            return None
        try:
            with open(path, "rb") as file:
                return hashlib.file_digest(
                    file, lambda: hashlib.new(algorithm, usedforsecurity=False)
                ).hexdigest()
        except OSError:
            return None

    def binary_exists(self, name: str) -> bool:
        """Whether ``type NAME`` would find ``name`` in bash."""
        if not name:
            return False
        if "/" in name:
            return _executable(name)
        if name in _SHELL_WORDS:
            return True
        folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
        return any(_executable(os.path.join(folder or ".", name)) for folder in folders)

    def bounded_search(self, expression: str, flags: int, text: str, seconds: float) -> bool:
        """Whether ``re`` finds ``expression``, within ``seconds``.

        Python's matcher looks for signals while it works, so an alarm can stop it.

        Raises:
            TimeoutError: It took longer.
        """
        compiled = re.compile(expression, flags)
        if len(text) < 64 and not _may_explode(expression):  # noqa: PLR2004
            return compiled.search(text) is not None
        previous = signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            return compiled.search(text) is not None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)


# The module uuid costs 4 ms of start-up (it loads platform), these do not. RFC 9562.
_GREGORIAN_EPOCH = 0x01B21DD213814000
"""100-nanosecond intervals between 1582-10-15 and 1970-01-01."""


def _version_1_uuid() -> str:
    ticks = time.time_ns() // 100 + _GREGORIAN_EPOCH
    clock = int.from_bytes(os.urandom(2), "big") & 0x3FFF | 0x8000
    node = int.from_bytes(os.urandom(6), "big") | 0x010000000000  # the bit of no real address
    low, middle, high = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF | 0x1000
    return f"{low:08x}-{middle:04x}-{high:04x}-{clock:04x}-{node:012x}"


def _version_4_uuid() -> str:
    bits = int.from_bytes(os.urandom(16), "big")
    bits = bits & ~(0xF << 76) | 4 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _too_long(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise TimeoutError


def _may_explode(expression: str) -> bool:
    """Whether there are at least two repetitions: with one, matching short text is quick."""
    return sum(expression.count(sign) for sign in "*+?{") > 1


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _hostname() -> str:
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def _read_os_release() -> dict[str, str]:
    for path in _OS_RELEASE:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            continue
        pairs = (line.split("=", 1) for line in lines if "=" in line and line[:1] != "#")
        return {name.strip(): value.strip().strip("\"'") for name, value in pairs}
    return {}


def state_root() -> str:
    """The folder that holds the states of runs, by who runs us.

    Raises:
        HostError: There is no home to put it into.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return "/var/lib/awstoe/state"
    base = os.environ.get("XDG_STATE_HOME")
    if base and os.path.isabs(base):
        return os.path.join(base, "awstoe", "state")
    home = os.environ.get("HOME")
    if home:
        return os.path.join(home, ".local", "state", "awstoe", "state")
    raise HostError(
        "there is no folder for the state of this run: neither XDG_STATE_HOME nor HOME is set",
        hint="name one with --state-directory",
    )
