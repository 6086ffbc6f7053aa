"""The private folder in which an update is prepared, beside the program: ``.awstoe.update``.

It lies in the program's own folder, so that a file in it can be renamed into place and programs in
it may be run, which neither is certain of a temporary folder. While an update works, the folder is
locked; a part of a download stays in it to be continued.
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
        program: The path of the program that is to be replaced.
    """

    def __init__(self, program: str) -> None:
        folder, name = os.path.split(program)
        self.folder = os.path.join(folder, f".{name}.update")
        extension = os.path.splitext(program)[1] if name.endswith(".exe") else ""
        self.new = os.path.join(self.folder, f"new{extension}")
        """The new program, on its way to its place."""
        self.old = os.path.join(self.folder, f"old{extension}")
        """The old program, from the swap until the new one is proven."""
        self.new_signature = os.path.join(self.folder, "new.sig")
        self.old_signature = os.path.join(self.folder, "old.sig")
        """The one that lies beside the old program, if there is one."""
        self.fetched_signature = os.path.join(self.folder, "fetched.sig")
        """The old program's from the publisher, if another or none lies beside it."""
        self.staged = os.path.join(self.folder, "staged")
        """A program that is complete, but not checked."""
        self.journal = os.path.join(self.folder, "journal.json")
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Make and lock the folder.

        Raises:
            Busy: Another update is using it.
            Refused: Something else has its name.
            CannotWrite: It cannot be made.
        """
        for _ in range(_ATTEMPTS):
            try:
                self._make()
                self._lock = locks.acquire(os.path.join(self.folder, _LOCK))
            except OSError as error:
                raise CannotWrite(
                    f"{self.folder} cannot be made: {error.strerror}",
                    hint="an update is prepared beside the program: run it as a user who may write"
                    " there, and make room",
                ) from error
            if self._lock is not None:
                return self
            if os.path.isdir(self.folder):
                break
        raise Busy(
            "another update of this program is going on",
            hint="wait until it has ended, or use --wait",
        )

    def _make(self) -> None:
        try:
            os.mkdir(self.folder, PRIVATE_FOLDER)
        except FileExistsError:
            found = os.lstat(self.folder)
            if not stat.S_ISDIR(found.st_mode):
                raise Refused(
                    f"{self.folder} is no folder; somebody may have put it there to be followed",
                    hint="look where it comes from, and remove it",
                ) from None
            if not hasattr(os, "geteuid"):
                return
            # Not for root either: its owner could exchange what is in it after it was checked.
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise Refused(
                    f"{self.folder} can be used by others (it belongs to the user number"
                    f" {found.st_uid}): an update is prepared in private",
                    hint="if that user's update was interrupted, update again as that user; if not,"
                    " look where the folder comes from, and remove it",
                ) from None

    def left_over(self) -> str:
        """A name for what cannot be removed yet."""
        return os.path.join(self.folder, f"left-{os.urandom(8).hex()}")

    def clean(self, keep: Callable[[str], bool]) -> None:
        """Remove what is left over, but for the lock; what cannot be removed stays.

        Args:
            keep: Whether a file, given by its name, is to stay.
        """
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if name != _LOCK and not keep(name) and not os.path.isdir(path):
                with suppress(OSError):
                    swap.remove(path)

    def close(self) -> None:
        """Unlock the folder, and remove it when nothing is left in it."""
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
            pass  # it is gone, or another update has begun

    def __exit__(self, *_: object) -> None:
        self.close()
