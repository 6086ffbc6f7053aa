"""Replaces a file so that no process ever sees a part of the new one.

The new content is staged completely before the destination changes: next to it if the folder allows
that, so that one rename is enough, or else in the system's temporary folder. A full disk leaves the
old file unchanged. A file that a rename cannot replace (mounted into a container, or in a folder we
may not write to) is rewritten in place from the staged copy.

A symbolic link at the destination is followed: its target is replaced and the link stays. Links
of other users are followed only to what belongs to them: see ``targets``.
"""

import errno
import os
from types import TracebackType
from typing import Final, Self

from awstoe.errors import ActionError
from awstoe.host.files import (
    attributes,
    file_types,
    ownership,
    paths,
    renaming,
    targets,
    temporary,
)
from awstoe.host.files.oserrors import quoted
from awstoe.host.files.own_files import write_all
from awstoe.host.files.ownership import Owner
from awstoe.host.platforms import current
from awstoe.limits import MIB

_BINARY: Final = getattr(os, "O_BINARY", 0)
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY | getattr(os, "O_CLOEXEC", 0)
_FOLDER_REFUSES: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_EFFECTIVE_IDS: Final = os.access in os.supports_effective_ids
_NO_RENAME: Final = frozenset({errno.EBUSY, errno.EXDEV})


def staging_name(folder: str) -> str:
    """Return a new, unpredictable name in ``folder`` for incomplete content."""
    return os.path.join(folder, f".awstoe-{os.urandom(8).hex()}")


class AtomicReplacement:
    """The new content of ``path``; a context manager that leaves nothing unless committed.

    Args:
        path: The destination.
        mode: The permissions of a new file, before the umask. An existing file keeps its
            permissions and owner.
        overwrite: Whether the file may exist.
        follow_link: Replace the target of a link at ``path``, not the link itself.

    Attributes:
        descriptor: Write the content to it, until ``commit``.
    """

    __slots__ = (
        "_entry",
        "_in_place",
        "_old",
        "_overwrite",
        "_path",
        "_staged",
        "_target",
        "descriptor",
    )

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
        self._in_place = False
        self._entry = _entry(path, follow_link=follow_link)
        self._target = self._entry.path
        try:
            self._old = self._existing()
            self._staged, self.descriptor = self._stage(mode)
        except BaseException:
            self._entry.close()
            raise

    def _stage(self, mode: int) -> tuple[str, int]:
        """Open a new file for the content, next to the old one if possible."""
        staged = staging_name(os.path.dirname(self._target))
        try:
            return staged, os.open(staged, _NEW, mode)
        except OSError as error:
            if self._old is None or error.errno not in _FOLDER_REFUSES:
                # Users do not know the staging name.
                raise OSError(error.errno, error.strerror, _folder(self._path)) from error
        self._in_place = True
        staged = staging_name(temporary.safe_parent())
        return staged, os.open(staged, _NEW, 0o600)

    def _existing(self) -> os.stat_result | None:
        """Return the old file, whose attributes are kept, if there is one.

        Raises:
            ActionError: It is not a file, or must not be overwritten.
            OSError: We may not write to it.
        """
        try:
            old = os.lstat(self._target)
        except FileNotFoundError:
            return None
        actual = file_types.of_itself(old)
        if actual is file_types.FileType.LINK:
            if not self._overwrite:
                raise exists(self._path)
            return None
        if actual is not file_types.FileType.FILE:
            raise ActionError(
                f"{quoted(self._path)} is {actual}; a file cannot replace it",
                hint="use the path of a file, or remove what is there first",
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
        finally:
            self._entry.close()

    def _close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data`` to the staged content.

        Raises:
            OSError: The disk is full or failed.
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
            keep_old_attributes: Give the new file the permissions and the owner of the one that it
                replaces, instead of those that ``descriptor`` has.
            owner: The new owner instead.
            permissions: The exact permissions instead.

        Raises:
            ActionError: A file appeared there meanwhile and must not be overwritten.
            OSError: The system does not allow it; the old file is unchanged.
        """
        if not self._in_place:
            if self._old is not None and keep_old_attributes:
                attributes.preserve_owner_and_mode(self._target, self._old, self.descriptor)
            self._apply_attributes(self.descriptor, owner, permissions)
        self._close()  # Windows does not rename open files
        if not self._in_place and self._renamed():
            return
        try:
            self._rewrite(owner, permissions)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path) from error

    @staticmethod
    def _apply_attributes(file: int | str, owner: Owner | None, permissions: int | None) -> None:
        """Set the given attributes; the owner first, because that clears setuid bits."""
        if owner is not None:
            ownership.give(file, owner)
        if permissions is not None:
            os.chmod(file, permissions)

    def _renamed(self) -> bool:
        """Rename the staged file; return False for a mount point, which can only be rewritten."""
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
        """Give the staged file its name, unless the name exists by now."""
        try:
            renaming.rename_noreplace(self._staged, self._target)
        except FileExistsError:
            raise exists(self._path) from None

    def _rewrite(self, owner: Owner | None, permissions: int | None) -> None:
        """Copy the staged content to the old file, which keeps all its attributes."""
        staged = os.open(self._staged, os.O_RDONLY | _NO_FOLLOW | _BINARY)
        try:
            target = os.open(self._target, os.O_WRONLY | _NO_FOLLOW | _BINARY)
            try:
                while data := os.read(staged, MIB):
                    write_all(target, data)
                os.ftruncate(target, os.lseek(target, 0, os.SEEK_CUR))
                if hasattr(os, "fchmod"):
                    self._apply_attributes(target, owner, permissions)
            finally:
                os.close(target)
        finally:
            os.close(staged)


def _folder(path: str) -> str:
    """Return the folder of what is at ``path``, for messages."""
    return os.path.dirname(os.path.realpath(path) if os.path.islink(path) else path) or os.curdir


def _entry(path: str, *, follow_link: bool) -> targets.Entry:
    try:
        return targets.entry(path, follow_link=follow_link)
    except FileNotFoundError as error:
        raise OSError(error.errno, error.strerror, _folder(path)) from error


def exists(path: str) -> ActionError:
    """Return the error for a destination that must not be overwritten."""
    return ActionError(
        f"{quoted(path)} already exists and overwrite is false",
        hint="remove it first, or set overwrite to true",
    )


def make_parents(path: str) -> None:
    """Make the missing folders above ``path``.

    Raises:
        ActionError: The last one exists and is not a folder.
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
