"""The private folder next to the program in which an update is prepared: ``.awstoe.update``.

It is in the program's own folder, so that files can be renamed from it into place and programs in
it can be executed. Neither is certain of a temporary folder. During an update the folder is locked.
An incomplete download stays in it, to be resumed.
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

from awstoe.host.executable import swap
from awstoe.host.files import locks
from awstoe.host.files.own_files import PRIVATE_FOLDER
from awstoe.update.errors import Busy, CannotWrite, Refused

_LOCK: Final = "lock"
_ATTEMPTS: Final = 5


class Workspace:
    """The folder, locked; a context manager.

    Args:
        program: The path of the program to replace.
    """

    def __init__(self, program: str) -> None:
        folder, name = os.path.split(program)
        self.folder = os.path.join(folder, f".{name}.update")
        extension = os.path.splitext(program)[1] if name.endswith(".exe") else ""
        self.new = os.path.join(self.folder, f"new{extension}")
        """The new program, until the swap."""
        self.old = os.path.join(self.folder, f"old{extension}")
        """The old program, from the swap until the new one has passed its smoke test."""
        self.new_signature = os.path.join(self.folder, "new.sig")
        self.old_signature = os.path.join(self.folder, "old.sig")
        """A copy of the file next to the old program, if there is one."""
        self.fetched_signature = os.path.join(self.folder, "fetched.sig")
        """The old program's, from the publisher, if the file next to it is missing or wrong."""
        self.staged = os.path.join(self.folder, "staged")
        """A program that is complete, but not checked yet."""
        self.record = os.path.join(self.folder, "journal.json")
        """The install record; see ``install_record``."""
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Create and lock the folder.

        Raises:
            Busy: Another update is using it.
            Refused: Something else has its name.
            CannotWrite: It cannot be created.
        """
        for _ in range(_ATTEMPTS):
            try:
                self._make()
                self._lock = locks.acquire(os.path.join(self.folder, _LOCK))
            except OSError as error:
                raise CannotWrite(
                    f"{self.folder} cannot be created: {error.strerror}",
                    hint="updates are prepared next to the program: run as a user who may write"
                    " there, and free some space",
                ) from error
            if self._lock is not None:
                return self
            if os.path.isdir(self.folder):
                break
        raise Busy(
            "another update of this program is in progress",
            hint="wait until it has finished, or use --wait",
        )

    def _make(self) -> None:
        try:
            os.mkdir(self.folder, PRIVATE_FOLDER)
        except FileExistsError:
            found = os.lstat(self.folder)
            if not stat.S_ISDIR(found.st_mode):
                raise Refused(
                    f"{self.folder} is not a folder: it may be an attempt to redirect the update",
                    hint="find out where it comes from, and remove it",
                ) from None
            if not hasattr(os, "geteuid"):
                return
            # This applies to root too: the owner could replace files after they were checked.
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise Refused(
                    f"{self.folder} can be used by others (it belongs to user ID {found.st_uid});"
                    " updates need a private folder",
                    hint="if that user's update was interrupted, update again as that user; if not,"
                    " find out where the folder comes from, and remove it",
                ) from None

    def left_over(self) -> str:
        """Return a new path for a file that cannot be removed yet."""
        return os.path.join(self.folder, f"left-{os.urandom(8).hex()}")

    def clean(self, keep: Callable[[str], bool]) -> None:
        """Remove all files except the lock; files that cannot be removed stay.

        Args:
            keep: Whether to keep a file, given its name.
        """
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if name != _LOCK and not keep(name) and not os.path.isdir(path):
                with suppress(OSError):
                    swap.remove(path)

    def close(self) -> None:
        """Unlock the folder, and remove it if it is empty."""
        if self._lock is None:
            return
        self._remove_empty()  # while it is locked, where open files can be removed
        os.close(self._lock)
        self._lock = None
        self._remove_empty()

    def _remove_empty(self) -> None:
        try:
            if set(os.listdir(self.folder)) <= {_LOCK}:
                swap.remove(os.path.join(self.folder, _LOCK))
                os.rmdir(self.folder)
        except OSError:
            pass  # it was removed, or another update has started

    def __exit__(self, *_: object) -> None:
        self.close()
