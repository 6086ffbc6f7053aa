"""Puts a file in the place of another so that nobody ever sees a part of it.

The new content is staged completely before the destination is touched: beside it where the folder
allows that, so that one rename makes the change; otherwise in the system's temporary folder. A full
disk leaves the old file as it was. What cannot be replaced by a rename (a file mounted into a
container, a file in a folder we may not write to) is rewritten in place from the staged copy.

A symbolic link at the destination is followed: its target is replaced and the link stays.
"""

import errno
import os
from types import TracebackType
from typing import Final, Self

from awstoe.errors import ActionError
from awstoe.host.files import attributes, file_types, ownership, paths, renaming, temporary
from awstoe.host.files.oserrors import quoted
from awstoe.host.files.own_files import write_all
from awstoe.host.files.ownership import Owner
from awstoe.host.platforms import current
from awstoe.limits import MIB

_BINARY: Final = getattr(os, "O_BINARY", 0)
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY | getattr(os, "O_CLOEXEC", 0)
_FOLDER_REFUSES: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_EFFECTIVE_IDS: Final = os.access in os.supports_effective_ids
_NO_RENAME: Final = frozenset({errno.EBUSY, errno.EXDEV})


def staging_name(folder: str) -> str:
    """A fresh name in ``folder`` for something that is not finished."""
    return os.path.join(folder, f".awstoe-{os.urandom(8).hex()}")


class AtomicReplacement:
    """The new content of ``path``; a context manager, gone without a trace unless committed.

    Args:
        path: The destination.
        mode: The permissions of a file that is new, before the umask. An existing file keeps its
            own, and its owner.
        overwrite: Whether a file may stand there already.
        follow_link: Replace what a link at ``path`` leads to; otherwise the link itself.

    Attributes:
        descriptor: Where the content goes, until ``commit``.
    """

    __slots__ = ("_in_place", "_old", "_overwrite", "_path", "_staged", "_target", "descriptor")

    def __init__(
        self,
        path: str,
        *,
        mode: int = 0o666,
        overwrite: bool = True,
        follow_link: bool = True,
    ) -> None:
        self._path = path
        self._overwrite = overwrite
        self._target = path
        if os.path.islink(path) and follow_link:
            self._target = os.path.realpath(path)
        self._old = self._existing()
        self._in_place = False
        folder = os.path.dirname(self._target) or os.curdir
        self._staged = staging_name(folder)
        try:
            self.descriptor = os.open(self._staged, _NEW, mode)
        except OSError as error:
            if self._old is None or error.errno not in _FOLDER_REFUSES:
                # The staging name would tell nobody anything.
                raise OSError(error.errno, error.strerror, folder) from error
            self._in_place = True
            self._staged = staging_name(temporary.parent_folder())
            self.descriptor = os.open(self._staged, _NEW, 0o600)

    def _existing(self) -> os.stat_result | None:
        """The old file whose attributes are to be kept, if there is one.

        Raises:
            ActionError: Something else stands there, or it may not be overwritten.
            OSError: It is not ours to write.
        """
        try:
            old = os.lstat(self._target)
        except FileNotFoundError:
            return None
        found = file_types.of_itself(old)
        if found is file_types.FileType.LINK:
            if self._target != self._path:
                os.stat(self._target)  # a circle of links: let the system say so
            if not self._overwrite:
                raise exists(self._path)
            return None
        if found is not file_types.FileType.FILE:
            raise ActionError(
                f"{quoted(self._path)} is {found}; a file does not take its place",
                hint="name a file, or remove what stands there first",
            )
        if not self._overwrite:
            raise exists(self._path)
        if not os.access(self._target, os.W_OK, effective_ids=_EFFECTIVE_IDS):
            raise PermissionError(errno.EACCES, "", self._path)
        return old

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()
        try:
            renaming.unlink(self._staged)
        except FileNotFoundError:
            pass

    def _close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def write(self, data: bytes | memoryview) -> None:
        """Stage ``data`` after what is there.

        Raises:
            OSError: The disk refused.
        """
        try:
            write_all(self.descriptor, data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path) from error

    def commit(
        self,
        *,
        keep_old_attributes: bool = True,
        owner: Owner | None = None,
        permissions: int | None = None,
    ) -> None:
        """Put the staged content in place.

        Args:
            keep_old_attributes: Give the new file the permissions and the owner of the one it
                replaces; otherwise it has what was set on ``descriptor``.
            owner: Who it is to belong to instead.
            permissions: Its permissions instead, exactly.

        Raises:
            ActionError: A file appeared there meanwhile and may not be overwritten.
            OSError: The system refused; the old file is untouched.
        """
        if not self._in_place:
            if self._old is not None and keep_old_attributes:
                attributes.preserve_owner_and_mode(self._target, self._old, self.descriptor)
            self._apply_attributes(self.descriptor, owner, permissions)
        self._close()  # Windows renames no open file
        if not self._in_place and self._renamed():
            return
        self._rewrite()
        self._apply_attributes(self._target, owner, permissions)

    @staticmethod
    def _apply_attributes(file: int | str, owner: Owner | None, permissions: int | None) -> None:
        """Set what was asked for; the owner first, because that clears setuid bits."""
        if owner is not None:
            ownership.give(file, owner)
        if permissions is not None:
            os.chmod(file, permissions)

    def _renamed(self) -> bool:
        """Whether a rename could do it; a mount point can only be rewritten."""
        try:
            if self._overwrite:
                renaming.replace(self._staged, self._target)
            else:
                self._publish_new()
        except OSError as error:
            if self._old is not None and error.errno in _NO_RENAME:
                return False
            raise OSError(error.errno, error.strerror, self._path) from error
        return True

    def _publish_new(self) -> None:
        """Name the staged file, failing when the name has been taken meanwhile."""
        try:
            renaming.rename_noreplace(self._staged, self._target)
        except FileExistsError:
            raise exists(self._path) from None

    def _rewrite(self) -> None:
        """Copy the staged content into the old file, which keeps all its attributes."""
        staged = os.open(self._staged, os.O_RDONLY | _BINARY)
        try:
            target = os.open(self._target, os.O_WRONLY | _BINARY)
            try:
                while data := os.read(staged, MIB):
                    write_all(target, data)
                os.ftruncate(target, os.lseek(target, 0, os.SEEK_CUR))
            finally:
                os.close(target)
        finally:
            os.close(staged)


def exists(path: str) -> ActionError:
    """The error for a destination that may not be overwritten."""
    return ActionError(
        f"{quoted(path)} exists already and overwrite is false",
        hint="remove it first, or set overwrite to true",
    )


def make_parents(path: str) -> None:
    """Make the folders above ``path`` that are missing.

    Raises:
        ActionError: Something else has the name of the last one.
        OSError: One cannot be made.
    """
    parent = os.path.dirname(paths.without_end_separators(path, current()))
    if parent and not os.path.isdir(parent):
        if os.path.lexists(parent):
            raise ActionError(
                f"{quoted(parent)} is {file_types.file_type(parent)}, not a folder",
                hint="remove it first, or use another path",
            )
        os.makedirs(parent, exist_ok=True)
