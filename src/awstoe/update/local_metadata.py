"""Keeps trust metadata between updates: the newest metadata seen, and when it was valid.

Root keeps it in ``/var/lib/awstoe/update``, other users in their own state folder: the user who
may replace the program also owns its metadata. An update needs a folder that lasts. ``--check``
does not: if the folder cannot be written, it is copied to a temporary one.
"""

import errno
import hashlib
import os
import shutil
import time
from typing import Final, Self

from awstoe import limits
from awstoe.errors import HostError
from awstoe.host import machine
from awstoe.host.files import locks, plain_files, temporary
from awstoe.host.files.own_files import PRIVATE_FOLDER, replace_file
from awstoe.update.errors import Busy, CannotWrite, Untrusted

_METADATA: Final = "metadata"
_LOCK: Final = "lock"
_CLOCK: Final = "clock"
_FILES: Final = limits.UPDATE_ROOT_ROTATIONS + 10
_HINT: Final = (
    "kept metadata protects against replays of old metadata: make the folder writable, or set"
    " XDG_STATE_HOME to another state folder"
)


def folder_for(identifier: str) -> str:
    """Return the folder for a publisher's metadata.

    Args:
        identifier: A text that is the same for all programs of a publisher.

    Raises:
        HostError: There is no folder for this user's state.
    """
    name = hashlib.sha256(identifier.encode()).hexdigest()[:16]
    return os.path.join(os.path.dirname(machine.state_root()), "update", name)


class LocalMetadata:
    """The folder of trust metadata, locked; a context manager.

    Args:
        folder: Its path; None if there is no folder that lasts.
        lasting: Whether the folder must last, because an update follows.
    """

    def __init__(self, folder: str | None, *, lasting: bool) -> None:
        self._folder = folder
        self._lasting = lasting
        self._temporary: str | None = None
        self._lock: int | None = None

    @property
    def metadata(self) -> str:
        """The folder with the metadata files."""
        return os.path.join(self._temporary or self._folder or "", _METADATA)

    @property
    def is_temporary(self) -> bool:
        """Whether the metadata is lost when this process ends."""
        return self._temporary is not None

    def __enter__(self) -> Self:
        """Lock the folder.

        Raises:
            Busy: Another update is using it.
            CannotWrite: It cannot be used, but must last.
            Untrusted: The clock was set back.
        """
        try:
            self._use()
        except (HostError, OSError) as error:
            if self._lasting:
                reason = error.message if isinstance(error, HostError) else str(error)
                raise CannotWrite(f"trust metadata cannot be kept: {reason}", hint=_HINT) from error
            self._copy()
        try:
            self._check_clock()
        except BaseException:
            self.close()
            raise
        return self

    def _use(self) -> None:
        if self._folder is None:
            raise HostError("there is no folder for this user's state")
        os.makedirs(os.path.dirname(self._folder), PRIVATE_FOLDER, exist_ok=True)
        for path in (self._folder, os.path.join(self._folder, _METADATA)):
            if not os.path.isdir(path):
                os.mkdir(path, PRIVATE_FOLDER)
        found = os.lstat(self._folder)
        if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            raise HostError(f"{self._folder} can be written by other users")
        self._lock = locks.acquire(os.path.join(self._folder, _LOCK))
        if self._lock is None:
            raise Busy(
                f"another update is using {self._folder}",
                hint="wait until it has finished, or use --wait",
            )
        for name in os.listdir(self.metadata):  # left over from a kill
            if not name.endswith(".json") and name != "root_history":
                os.unlink(os.path.join(self.metadata, name))

    def _copy(self) -> None:
        self._temporary = temporary.make_folder()
        source = os.path.join(self._folder or "", _METADATA)
        try:
            if self._folder is not None and os.path.isdir(source):
                _copy_files(source, self.metadata)
                _copy_file(os.path.join(self._folder, _CLOCK), self._temporary)
        except OSError:
            shutil.rmtree(self.metadata, ignore_errors=True)  # another user's, and not readable
        os.makedirs(self.metadata, exist_ok=True)

    def _check_clock(self) -> None:
        """Check the clock: if it was set back, expired metadata would be valid again."""
        seen = self._seen()
        if time.time() < seen - limits.UPDATE_CLOCK_SECONDS:
            here, then = (time.strftime("%Y-%m-%d", time.gmtime(each)) for each in (None, seen))
            raise Untrusted(
                f"this machine's clock says {here}, but an earlier update saw {then}: expired"
                " metadata cannot be detected",
                hint="set the clock; if it is right now and was wrong then, remove"
                f" {os.path.join(self._folder or '', _CLOCK)}",
            )

    def _seen(self) -> float:
        try:
            path = os.path.join(os.path.dirname(self.metadata), _CLOCK)
            seen = float(plain_files.read(path, limits.INSTALL_RECORD_BYTES, follow_link=False))
            time.gmtime(seen)
        except (OSError, ValueError, OverflowError):  # damaged
            return 0.0
        return seen

    def remember_time(self) -> None:
        """Keep the time at which metadata was valid.

        It is before the metadata's expiry, so a clock that was wrong for a while does no harm.

        Raises:
            HostError: It cannot be written.
        """
        if self._temporary is None and self._folder is not None:
            now = max(time.time(), self._seen())
            replace_file(os.path.join(self._folder, _CLOCK), [f"{now:.0f}".encode()])

    def close(self) -> None:
        """Release the lock, and remove a temporary folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._temporary is not None:
            temporary.remove_folder(self._temporary)

    def __exit__(self, *_: object) -> None:
        self.close()


def _copy_files(source: str, target: str) -> None:
    """Copy a folder of metadata that another user may have filled with anything.

    Raises:
        OSError: Something in it is not a file of metadata.
    """
    count = 0
    for folder, _, names in os.walk(source):
        made = os.path.normpath(os.path.join(target, os.path.relpath(folder, source)))
        os.makedirs(made, PRIVATE_FOLDER, exist_ok=True)
        for name in names:
            count += 1
            if count > _FILES:
                raise OSError(errno.EFBIG, f"it has more than {_FILES} files", source)
            _copy_file(os.path.join(folder, name), made)


def _copy_file(path: str, folder: str) -> None:
    try:
        data = plain_files.read(path, limits.UPDATE_METADATA_BYTES, follow_link=False)
    except FileNotFoundError:
        return
    with open(os.path.join(folder, os.path.basename(path)), "wb") as file:
        file.write(data)
