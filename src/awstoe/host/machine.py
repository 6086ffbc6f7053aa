"""Facts about this machine: time, names, files, programs in PATH."""

import os
import re
import sys
import time

from awstoe.host import platforms
from awstoe.host.files import file_types
from awstoe.host.files.file_types import FileType

if sys.platform == "win32":
    from awstoe.host import machine_windows as _platform
else:
    from awstoe.host import machine_linux as _platform

state_root = _platform.state_root
is_administrator = _platform.is_administrator


class HostMachine:
    """This machine, as runs and conditions see it.

    Names that cannot change during a run are read once.
    """

    def __init__(self) -> None:
        self._release: _platform.OsRelease | None = None
        self._hostname: str | None = None

    # --- time and names -------------------------------------------------------------------------

    def now(self) -> str:
        """Return the time in UTC, as ``2022-05-25T14:01:45Z``."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def execution_id(self) -> str:
        """Return a new version-1 UUID; its node is random and reveals no address."""
        return _version_1_uuid()

    def environment(self, name: str) -> str | None:
        """Return an environment variable of the caller, or None."""
        return os.environ.get(name)

    def context(self, key: str) -> str:
        """Return the value of a ``context:`` key.

        Raises:
            KeyError: There is no such key.
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
                    self._hostname = _platform.hostname()
                return self._hostname
            case "osPlatform":
                return platforms.current()
            case "osName":
                return self._os_release().name
            case "osVersion":
                return self._os_release().version
            case _:
                raise KeyError(key)

    def _os_release(self) -> _platform.OsRelease:
        if self._release is None:
            self._release = _platform.release()
        return self._release

    # --- files and programs ---------------------------------------------------------------------

    def real_path(self, path: str) -> str:
        """Return ``path`` as an absolute path without links."""
        return os.path.realpath(path)

    def hint_beside(self, path: str, document: str) -> str | None:
        """Return a hint if ``path`` is missing, but exists next to ``document``."""
        beside = os.path.join(os.path.dirname(document), path)
        if os.path.exists(path) or not os.path.isfile(beside):
            return None
        return (
            f"there is one at {beside}: a relative path is relative to the working directory, not"
            " to the document's folder"
        )

    def file_exists(self, path: str) -> bool:
        """Whether ``path`` is a regular file, links followed.

        Raises:
            ActionError: The system does not let us find out. The message is only the reason.
        """
        return file_types.decided_type(path) is FileType.FILE

    def folder_exists(self, path: str) -> bool:
        """Whether ``path`` is a folder, links followed.

        Raises:
            ActionError: As for ``file_exists``.
        """
        return file_types.decided_type(path) is FileType.FOLDER

    def file_hash(self, path: str, algorithm: str) -> str | None:
        """Return the hash of a regular file in lower-case hex, or None if there is no such file.

        Raises:
            ActionError: The file cannot be read. The message is only the reason.
        """
        import hashlib  # noqa: PLC0415 - loads OpenSSL, which few documents need

        if not self.file_exists(path):
            return None
        try:
            with open(path, "rb") as file:
                return hashlib.file_digest(
                    file, lambda: hashlib.new(algorithm, usedforsecurity=False)
                ).hexdigest()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise file_types.undecided(error) from error

    def binary_exists(self, name: str) -> bool:
        """Whether ``type NAME`` would find ``name`` in bash, or ``where /Q NAME`` on Windows.

        A name is searched as these programs do, which skip folders that they cannot read.

        Raises:
            ActionError: It is a path, and the system does not let us find out. The message is
                only the reason.
        """
        return _platform.binary_exists(name)

    def bounded_search(self, expression: str, flags: int, text: str, seconds: float) -> bool:
        """Whether ``re`` finds ``expression``, within ``seconds``.

        Python's matcher checks for signals while it works, so an alarm can stop it.

        Raises:
            TimeoutError: It took longer.
        """
        compiled = re.compile(expression, flags)
        if len(text) < 64 and not _may_explode(expression):  # noqa: PLR2004
            return compiled.search(text) is not None
        from awstoe.host.process.alarm import alarm  # noqa: PLC0415 - few documents need it

        with alarm(seconds):
            return compiled.search(text) is not None


# The module uuid costs 4 ms at start-up (it loads platform); these functions do not. RFC 9562.
_GREGORIAN_EPOCH = 0x01B21DD213814000
"""100-nanosecond intervals between 1582-10-15 and 1970-01-01."""


def _version_1_uuid() -> str:
    ticks = time.time_ns() // 100 + _GREGORIAN_EPOCH
    clock = int.from_bytes(os.urandom(2), "big") & 0x3FFF | 0x8000
    node = int.from_bytes(os.urandom(6), "big") | 0x010000000000  # this bit is in no real address
    low, middle, high = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF | 0x1000
    return f"{low:08x}-{middle:04x}-{high:04x}-{clock:04x}-{node:012x}"


def _version_4_uuid() -> str:
    bits = int.from_bytes(os.urandom(16), "big")
    bits = bits & ~(0xF << 76) | 4 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _may_explode(expression: str) -> bool:
    """Whether there are two repetitions or more: with one, matching a short text is quick."""
    return sum(expression.count(sign) for sign in "*+?{") > 1
