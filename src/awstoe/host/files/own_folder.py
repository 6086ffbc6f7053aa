"""A folder of awstoe's own that stays open, such as the log folder and the state folder of a run.

Its files are reached through the open folder, without following links. So a user who may rename the
folder (it may be in a folder of theirs) cannot lead awstoe to other files. If a step removes or
moves the folder, it can be made again.
"""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

from awstoe.host.files import locks, plain_files
from awstoe.host.files.own_files import explain, write_all
from awstoe.limits import MIB

if sys.platform == "win32":
    from awstoe.host.files import folder_windows as _platform
else:
    from awstoe.host.files import folder_linux as _platform

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_APPEND: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND
_OTHER_NAMES: Final = 100
"""Names tried for a folder whose own name is taken."""


class OwnFolder:
    """An open folder that belongs to this process's user.

    Attributes:
        path: Its absolute path, as messages name it.
    """

    __slots__ = ("_descriptor", "_identity", "_real", "path")

    def __init__(self, path: str, real: str, descriptor: int) -> None:
        self.path = path
        self._real = real
        """The path without links, as it was when the folder was opened."""
        self._descriptor = descriptor
        self._identity = _platform.folder_identity(descriptor)

    @classmethod
    def make(cls, path: str, *, follow_links: bool = False) -> Self:
        """Make a new folder (0700), and those above it, and open it.

        Args:
            path: Its absolute path.
            follow_links: Whether to follow links of other users above it.

        Raises:
            FileExistsError: Something has its name.
            OSError: It cannot be made, or another user has put something in its place.
        """
        parent, name = os.path.split(path)
        real = os.path.join(os.path.realpath(parent), name) if follow_links else path
        return cls._made(path, real)

    @classmethod
    def _made(cls, path: str, real: str) -> Self:
        parent, name = os.path.split(real)
        try:
            above = _platform.open_folder(parent, make_parents=True)
            try:
                _platform.make_folder(above, name)
            finally:
                _platform.close(above)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error
        return cls._opened(path, real)

    @classmethod
    def open(cls, path: str) -> Self:
        """Open an existing folder. Links of other users in its path are not followed.

        Raises:
            OSError: There is none, or it belongs to another user.
        """
        return cls._opened(path, path)

    @classmethod
    def _opened(cls, path: str, real: str) -> Self:
        descriptor = _platform.open_folder(real)
        owner = _platform.foreign_owner(descriptor)
        if owner is not None:
            _platform.close(descriptor)
            raise PermissionError(errno.EPERM, f"it belongs to another user (ID {owner})", path)
        return cls(path, real, descriptor)

    def made_again(self, *, other_name: bool) -> Self:
        """Make the folder again after it was removed, moved or replaced.

        The folders above it are those from before: links that others have made are not followed.

        Args:
            other_name: Whether it may get a similar name if its own one is taken.

        Raises:
            OSError: It cannot be made.
        """
        for number in range(1, _OTHER_NAMES):
            suffix = f"-{number}" if number > 1 else ""
            path, real = self.path + suffix, self._real + suffix
            try:
                return self._made(path, real)
            except FileExistsError:
                if found := self._empty(path, real):
                    return found
                if not other_name:
                    raise
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self.path)

    def follow(self) -> bool:
        """Name the folder by the path to which it was moved; return whether it still has one."""
        path = _platform.path_of(self._descriptor)
        if path is None or _platform.identity_at(path) != self._identity:
            return False
        self.path = self._real = path
        return True

    def _empty(self, path: str, real: str) -> Self | None:
        """Open the folder that a step has put at ``path``, if it is this user's and empty."""
        try:
            found = self._opened(path, real)
        except OSError:
            return None
        if found.names():
            found.close()
            return None
        _platform.make_private(found._descriptor)  # noqa: SLF001 - of this class
        return found

    @property
    def real_path(self) -> str:
        """The path of the folder without links of other users."""
        return self._real

    # --- the folder ------------------------------------------------------------------------------

    def is_in_place(self) -> bool:
        """Whether its path still leads to it."""
        return _platform.identity_at(self.path) == self._identity

    def keep_usable(self, *, owner: bool = False) -> bool:
        """Take back the rights that a step has taken away; return whether one was missing.

        Args:
            owner: Whether to take back the ownership, too.

        Raises:
            OSError: The system does not allow it.
        """
        return _platform.keep_ours(self._descriptor, owner=owner)

    def names(self) -> list[str]:
        """Return the names in it.

        Raises:
            OSError: It cannot be read.
        """
        return _platform.names(self._descriptor, self.path)

    def sync(self) -> None:
        """Flush its names to the disk.

        Raises:
            OSError: The disk failed.
        """
        _platform.sync(self._descriptor)

    def close(self) -> None:
        """Close it."""
        _platform.close(self._descriptor)

    def remove(self) -> None:
        """Close it, and remove it if it is empty, also if it was moved."""
        # A step may have put another folder, or a link to this one, in its place.
        has_path = self.follow()
        with suppress(OSError):
            if has_path or self.is_in_place():
                _platform.remove(self._descriptor, self.path)
            else:
                self.close()

    def discard(self, names: Sequence[str]) -> None:
        """Remove files from a folder that another one has replaced; close and remove it.

        On Windows, nothing moves an open folder, and the files would be those of the other one.
        """
        if sys.platform != "win32":
            for name in names:
                self.unlink(name)
        self.remove()

    # --- its files -------------------------------------------------------------------------------

    def file(self, name: str) -> str:
        """Return the path of a file in it, for messages."""
        return os.path.join(self.path, name)

    def has(self, name: str) -> bool:
        """Whether it has a file, or anything else, of this name."""
        return _platform.file_identity(self._descriptor, self.path, name) is not None

    def has_size(self, name: str, size: int) -> bool:
        """Whether it has a regular file of this name and size."""
        return _platform.file_size(self._descriptor, self.path, name) == size

    def has_open(self, name: str, descriptor: int) -> bool:
        """Whether ``name`` in it is the open file ``descriptor``."""
        found = _platform.file_identity(self._descriptor, self.path, name)
        return found is not None and found == _platform.identity(descriptor)

    def open_read(self, name: str) -> int:
        """Open a file for reading.

        Raises:
            OSError: It cannot be opened, or is not a regular file.
        """
        return _platform.open_file(self._descriptor, self.path, name, os.O_RDONLY)

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: There is none.
            OSError: It cannot be read, is not a regular file, or has more than ``limit`` bytes.
        """
        descriptor = self.open_read(name)
        try:
            return plain_files.read_limited(descriptor, limit, self.file(name))
        finally:
            os.close(descriptor)

    def replace(self, name: str, chunks: Sequence[bytes], *, durable: bool = False) -> None:
        """Write a file so that readers see the old or the new one, never a part.

        The temporary name is fixed: the folder belongs to one run, and the next write removes what
        a killed one left.

        Raises:
            HostError: It cannot be written. The old file is unchanged.
        """
        temporary = f".{name}.tmp"
        try:
            descriptor = self._new_file(temporary)
            try:
                for chunk in chunks:
                    write_all(descriptor, chunk)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _platform.replace(self._descriptor, self.path, temporary, name)
            if durable:
                self.sync()
        except OSError as error:
            self.unlink(temporary)
            raise explain(error, f"write {self.file(name)}") from error

    def _new_file(self, name: str) -> int:
        try:
            return _platform.open_file(self._descriptor, self.path, name, _NEW)
        except FileExistsError:
            _platform.unlink(self._descriptor, self.path, name)
        except PermissionError:
            if not self.keep_usable():
                raise
        return _platform.open_file(self._descriptor, self.path, name, _NEW)

    def open_append(self, name: str) -> int:
        """Open a file to append to it and to read it; make it (0600) if it is missing.

        Raises:
            HostError: It cannot be opened.
        """
        try:
            return _platform.open_file(self._descriptor, self.path, name, _APPEND)
        except OSError as error:
            raise explain(error, f"write {self.file(name)}") from error

    def take_over(self, name: str, descriptor: int) -> None:
        """Copy an open file into a new file ``name``; ``descriptor`` is that file afterwards.

        Raises:
            HostError: It cannot be written.
        """
        try:
            new = self._taking(name)
            try:
                os.lseek(descriptor, 0, os.SEEK_SET)
                while piece := os.read(descriptor, MIB):
                    write_all(new, piece)
                os.dup2(new, descriptor, inheritable=False)
            finally:
                os.close(new)
        except OSError as error:
            raise explain(error, f"write {self.file(name)}") from error

    def _taking(self, name: str) -> int:
        """Open a new file ``name`` to append to it, in the place of what has this name."""
        flags = _APPEND | os.O_EXCL
        try:
            return _platform.open_file(self._descriptor, self.path, name, flags)
        except FileExistsError:
            _platform.unlink(self._descriptor, self.path, name)
        return _platform.open_file(self._descriptor, self.path, name, flags)

    def unlink(self, name: str) -> None:
        """Remove a file if that is possible."""
        with suppress(OSError):
            _platform.unlink(self._descriptor, self.path, name)

    def move_to_new_folder(self, names: Sequence[str], folder: str) -> None:
        """Move files into a new folder in it.

        Raises:
            OSError: The system does not allow it.
        """
        _platform.make_folder(self._descriptor, folder)
        for name in names:
            if self.has(name):
                target = os.path.join(folder, name)
                _platform.replace(self._descriptor, self.path, name, target)

    def sync_file(self, name: str) -> None:
        """Flush a file to the disk.

        Raises:
            OSError: There is none, or the disk failed.
        """
        # Windows flushes only files opened for writing.
        descriptor = _platform.open_file(self._descriptor, self.path, name, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def unlock(self, name: str, descriptor: int) -> None:
        """Remove the file of a lock, unless it is another process's by now.

        On Linux it stays locked until the process ends. Windows cannot remove an open file.
        """
        if sys.platform == "win32":
            os.close(descriptor)
        elif not self.has_open(name, descriptor):
            return
        self.unlink(name)

    def lock(self, name: str) -> int | None:
        """Lock a file in it for this process; make the file if it is missing.

        Returns:
            A descriptor to keep open, or None if another process holds the lock.

        Raises:
            HostError: It cannot be opened or locked.
        """
        path = self.file(name)
        try:
            descriptor = _platform.open_file(
                self._descriptor, self.path, name, os.O_RDWR | os.O_CREAT
            )
        except OSError as error:
            raise explain(error, f"lock {path}") from error
        return locks.take(path, descriptor, lambda: self.has_open(name, descriptor))
