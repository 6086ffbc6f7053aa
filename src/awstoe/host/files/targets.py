"""Finds what the path of a user's file leads to, and changes exactly that.

A link of another user is followed only if it leads to what belongs to that user, and never in a
folder that all users may write to: otherwise that user could direct a change of root's to any file.
What was found stays the same file, even if another program moves it or puts a link in its place.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from awstoe.errors import ActionError
from awstoe.host.files import paths, trusted_paths
from awstoe.host.files.oserrors import quoted
from awstoe.host.platforms import current


class Entry(NamedTuple):
    """A name in a folder."""

    path: str
    """Leads to it as long as ``folder`` is open, even if the folder is moved."""
    folder: int
    """The descriptor of the folder, or -1."""

    def close(self) -> None:
        """Close the folder."""
        if self.folder >= 0:
            os.close(self.folder)


if sys.platform == "win32":

    @contextmanager
    def held(path: str) -> Iterator[str]:
        """Yield ``path``: awstoe does not check links on Windows."""
        yield path

    def entry(path: str, *, follow_link: bool = True) -> Entry:
        """Return what ``path`` leads to: awstoe does not check links on Windows."""
        return Entry(os.path.realpath(path) if follow_link and os.path.islink(path) else path, -1)


else:
    _LINKS: Final = 40
    """Links followed in one path, as in the kernel."""
    _FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    _NAME_ONLY: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

    @contextmanager
    def held(path: str) -> Iterator[str]:
        """Yield a path of the file or folder that leads to it until the end of the context.

        Raises:
            ActionError: A link of another user is misleading.
            OSError: There is none, or the body fails; with ``path`` as the file's name.
        """
        found = _find(path)
        name = f"/proc/self/fd/{found}"
        try:
            # A chroot may be without /proc: what was checked may then be moved.
            yield name if os.path.exists(name) else path
        except OSError as error:
            if error.filename != name:
                raise
            raise OSError(error.errno, error.strerror, path) from error
        finally:
            os.close(found)

    def entry(path: str, *, follow_link: bool = True) -> Entry:
        """Return where ``path`` leads to: a name in a folder that stays open.

        Args:
            path: What the name belongs to may be missing, but not its folder.
            follow_link: Whether to follow a link at ``path`` itself.

        Raises:
            ActionError: A link of another user is misleading.
            OSError: There is no such folder, or no permission to search it.
        """
        folder, name = _find_name(path, follow_link=follow_link)
        held_folder = f"/proc/self/fd/{folder}"
        if os.path.exists(held_folder):
            return Entry(os.path.join(held_folder, name), folder)
        return Entry(os.path.realpath(path) if follow_link else path, folder)

    def _find(path: str) -> int:
        """Return a descriptor of what ``path`` leads to; it does not allow to read or to write."""
        folder, name = _find_name(path)
        try:
            return os.open(name or ".", _NAME_ONLY, dir_fd=folder)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error
        finally:
            os.close(folder)

    def _find_name(path: str, *, follow_link: bool = True) -> tuple[int, str]:
        """Return the descriptor of a folder and the name in it that ``path`` leads to.

        The name may not exist. It is empty if links are followed to a folder: that is the folder.
        """
        here = os.open("/" if path.startswith("/") else ".", _FOLDER)
        owners: set[int] = set()
        links = 0
        try:
            parts = _parts(path)
            while parts:
                name = parts.pop()
                try:
                    inner = os.open(name, _NAME_ONLY, dir_fd=here)
                except FileNotFoundError:
                    _check_owners(path, owners, here)
                    if parts:
                        raise
                    return here, name
                if stat.S_ISLNK(os.fstat(inner).st_mode) and (parts or follow_link):
                    links += 1
                    target = _read_link(path, here, inner, owners, links)
                    parts += _parts(target)
                    inner = os.open("/", _FOLDER) if target.startswith("/") else os.dup(here)
                elif not (parts or (follow_link and stat.S_ISDIR(os.fstat(inner).st_mode))):
                    with _closing(inner):
                        _check_owners(path, owners, inner)
                    return here, name
                os.close(here)
                here = inner
            _check_owners(path, owners, here)
        except (OSError, ActionError) as error:
            os.close(here)
            if isinstance(error, ActionError):
                raise
            raise OSError(error.errno, error.strerror, path) from error
        return here, ""

    def _read_link(path: str, above: int, link: int, owners: set[int], number: int) -> str:
        """Return the target of an open link, and close it; add its owner if it is another user."""
        with _closing(link):
            if number > _LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            info = os.fstat(link)
            if info.st_uid not in trusted_paths.trusted():
                _refuse_planted(path, info, os.fstat(above))
                owners.add(info.st_uid)
            return os.readlink("", dir_fd=link)

    @contextmanager
    def _closing(descriptor: int) -> Iterator[None]:
        try:
            yield
        finally:
            os.close(descriptor)

    def _parts(path: str) -> list[str]:
        """Return the names in ``path``, the first one last. ``a/`` is the folder ``a/.``."""
        parts = [name for name in path.split("/") if name]
        return [*([os.curdir] if path.endswith("/") else []), *reversed(parts)]

    def _refuse_planted(path: str, link: os.stat_result, above: os.stat_result) -> None:
        """Reject links as the kernel does if ``fs.protected_symlinks`` is set."""
        shared = above.st_mode & stat.S_ISVTX and above.st_mode & stat.S_IWOTH
        if shared and link.st_uid != above.st_uid:
            raise ActionError(
                f"{quoted(path)} leads through a symbolic link of another user (user ID"
                f" {link.st_uid}) in a folder that all users may write to",
                hint="use a folder that only you may write to, or remove the link",
            )

    def _check_owners(path: str, owners: set[int], found: int) -> None:
        if owners and {os.fstat(found).st_uid} != owners:
            listed = ", ".join(str(owner) for owner in sorted(owners))
            raise ActionError(
                f"{quoted(path)} leads through a symbolic link of another user (user ID {listed})"
                " to what does not belong to that user",
                hint="use the path of its target, or remove the link",
            )


def set_mode(path: str, mode: int) -> None:
    """Set the permissions of what ``path`` leads to.

    Raises:
        ActionError: A link of another user is misleading.
        OSError: The system does not allow it.
    """
    with held(path) as name:
        os.chmod(name, mode)


@contextmanager
def named(path: str) -> Iterator[str]:
    """Yield a path of the name ``path``, in a folder that stays the same until the end.

    A link of that name is not followed; for the folders above it, see ``held``.

    Raises:
        ActionError: A link of another user is misleading.
        OSError: The folder does not exist, or the body fails; with ``path`` as the file's name.
    """
    found = entry(paths.without_end_separators(path, current()), follow_link=False)
    try:
        yield found.path
    except OSError as error:
        names = [error.filename, error.filename2]
        if found.path == path or found.path not in names:
            raise
        first, second = (path if name == found.path else name for name in names)
        raise OSError(error.errno, error.strerror, first, None, second) from error
    finally:
        found.close()
