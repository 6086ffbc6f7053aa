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
from typing import Final

from awstoe.errors import ActionError
from awstoe.host.files import trusted_paths
from awstoe.host.files.oserrors import quoted

if sys.platform == "win32":

    @contextmanager
    def held(path: str) -> Iterator[str]:
        """Yield ``path``: awstoe does not check links on Windows."""
        yield path

    def refuse_misleading(path: str) -> None:
        """Do nothing: on Windows, only administrators may make links."""
        del path


else:
    _LINKS: Final = 40
    """Links followed in one path, as in the kernel."""
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

    def refuse_misleading(path: str) -> None:
        """Check that no link of another user misleads; what does not exist is fine.

        Raises:
            ActionError: One does.
        """
        try:
            os.close(_find(path))
        except OSError:
            pass  # the change itself reports it

    def _find(path: str) -> int:
        """Return a descriptor of what ``path`` leads to; it does not allow to read or to write."""
        here = os.open("/" if path.startswith("/") else ".", os.O_PATH | os.O_CLOEXEC)
        owners: set[int] = set()
        links = 0
        try:
            parts = path.split("/")[::-1]
            while parts:
                name = parts.pop()
                if not name:
                    continue
                try:
                    inner = os.open(name, _NAME_ONLY, dir_fd=here)
                except FileNotFoundError:
                    _check_owners(path, owners, here)
                    raise
                info = os.fstat(inner)
                if not stat.S_ISLNK(info.st_mode):
                    os.close(here)
                    here = inner
                    continue
                try:
                    links += 1
                    if links > _LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                    if info.st_uid not in trusted_paths.trusted():
                        _refuse_planted(path, info, os.fstat(here))
                        owners.add(info.st_uid)
                    target = os.readlink("", dir_fd=inner)
                finally:
                    os.close(inner)
                parts += target.split("/")[::-1]
                if target.startswith("/"):
                    os.close(here)
                    here = os.open("/", os.O_PATH | os.O_CLOEXEC)
            _check_owners(path, owners, here)
        except OSError as error:
            os.close(here)
            raise OSError(error.errno, error.strerror, path) from error
        except ActionError:
            os.close(here)
            raise
        return here

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
