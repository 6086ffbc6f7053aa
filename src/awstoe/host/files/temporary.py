"""Private temporary folders and script files, in few system calls.

A folder has a name as AWSTOE's (``AWSTOE<digits>``), unpredictable and new, and is open to its user
alone (0700). It is not made where another user could rename it, because scripts in it are run by
their paths. Every failure is a ``HostError`` that names the path and what to do. Removal never
follows a symbolic link.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import BinaryIO, ClassVar, Final, NoReturn

from awstoe.errors import HostError
from awstoe.host.files import file_types, renaming, trusted_paths

if sys.platform == "win32":
    VARIABLE: Final = "TMP"
    """The environment variable that names the parent folder."""
    _BINARY: Final = os.O_BINARY
    # The system removes such a file when it is closed, even if the process is killed.
    _UNNAMED: Final = os.O_TEMPORARY | os.O_BINARY | os.O_NOINHERIT

    def parent_folder() -> str:
        r"""Return the folder for temporary files: ``TMP``, ``TEMP``, else ``%SystemRoot%\Temp``."""
        folder = os.environ.get(VARIABLE) or os.environ.get("TEMP")
        if not folder:
            folder = os.path.join(os.environ.get("SYSTEMROOT") or r"C:\Windows", "Temp")
        return os.path.abspath(folder)

    def private_root() -> str:
        """Return the path of this user's own folder in the temporary folder."""
        return os.path.join(parent_folder(), "awstoe-state")

    def warnings() -> list[str]:
        """Return what users should know about the folder for temporary files."""
        return []

    def safe_parent() -> str:
        """Return the folder for temporary files."""
        # The folders of users and of the system do not let others rename what is made in them.
        return parent_folder()

    def _unlink_open_file(path: str) -> None:
        del path  # an open file keeps its name until it is closed


else:
    VARIABLE: Final = "TMPDIR"
    """The environment variable that names the parent folder."""
    _BINARY: Final = 0
    _UNNAMED: Final = 0

    def parent_folder() -> str:
        """Return the folder for temporary files: ``TMPDIR``, else ``/tmp``."""
        return os.path.abspath(os.environ.get(VARIABLE) or "/tmp")  # noqa: S108 - if it is safe

    def private_root() -> str:
        """Return the path of this user's own folder in the temporary folder."""
        parent = _another_parent() if trusted_paths.risk(parent_folder()) else None
        return os.path.join(parent or parent_folder(), f"awstoe-state-{os.geteuid()}")

    def warnings() -> list[str]:
        """Return what users should know about the folder for temporary files."""
        risk = trusted_paths.risk(parent_folder())
        return [f"scripts are not kept in {parent_folder()}: {risk}"] if risk else []

    def safe_parent() -> str:
        """Return the folder for temporary files, or another one if others could rename them there.

        Raises:
            HostError: There is no such folder.
        """
        given = parent_folder()
        risk = trusted_paths.risk(given)
        if not risk:
            return given
        other = _another_parent()
        if other is not None:
            return other
        raise HostError(
            f"Cannot make a temporary folder in {given}: {risk}, and could replace the scripts"
            " that run from it.",
            hint=f"Set {VARIABLE} to a folder that only you can change.",
        )

    def _another_parent() -> str | None:
        for other in _OTHERS:
            if os.access(other, os.W_OK | os.X_OK) and not trusted_paths.risk(other):
                return other
        return None

    def _unlink_open_file(path: str) -> None:
        os.unlink(path)


_ATTEMPTS: Final = 100
_OTHERS: Final = ("/tmp", "/var/tmp", "/run", "/dev/shm")  # noqa: S108 - only if they are safe
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def make_folder(parent: str | None = None) -> str:
    """Make a folder ``AWSTOE<digits>`` (0700) and return its path.

    Raises:
        HostError: The disk is full, or the parent is missing or cannot be written.
    """
    parent = parent or safe_parent()
    for _ in range(_ATTEMPTS):
        path = os.path.join(parent, f"AWSTOE{_digits()}")
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue
        except OSError as error:
            if _is_made_again(parent, error):
                continue
            _refuse("make a temporary folder in", parent, error)
        return path
    raise HostError(
        f"Cannot make a temporary folder in {parent}: {_ATTEMPTS} names in a row exist already.",
        hint=f"Remove leftover AWSTOE folders from {parent}.",
    )


class Parent:
    """The folder for temporary files during a run: a step may remove it.

    It is made again when something is to be made in it, as a step may have several attempts or
    iterations, and after the step.
    """

    current: ClassVar["Parent | None"] = None
    """That of the run of this process, if there is one."""

    def __init__(self) -> None:
        Parent.current = self
        self._news: list[str] = []
        self._path = parent_folder()
        self._usable = os.access(self._path, os.W_OK | os.X_OK)
        self._mode, self._owner, self._group = 0, 0, 0
        if self._usable:
            info = os.stat(self._path)
            self._mode, self._owner, self._group = info.st_mode & 0o7777, info.st_uid, info.st_gid

    def check(self) -> list[str]:
        """Make the folder again if it was removed.

        Returns:
            What was done to it since the last call, as the rest of a sentence about a step.
        """
        self._keep()
        news, self._news = list(dict.fromkeys(self._news)), []
        return news

    def has_made_again(self, path: str) -> bool:
        """Make the folder again if it is ``path`` and was removed. Return whether it was made."""
        return path == self._path and self._keep()

    def _keep(self) -> bool:
        if not self._usable or os.access(self._path, os.W_OK | os.X_OK):
            return False
        path = self._path
        if os.path.lexists(path):
            self._usable = False
            news = f"made the temporary folder {path} unusable: steps with scripts will fail"
        else:
            try:
                os.mkdir(path, 0o700)
                _restore(path, self._mode, self._owner, self._group)
            except OSError as error:
                self._usable = False
                news = (
                    f"removed the temporary folder {path}, which cannot be made again"
                    f" ({error.strerror}): steps with scripts will fail"
                )
            else:
                news = f"removed the temporary folder {path}, which was made again"
        self._news.append(news)
        return self._usable


def write_script(folder: str, text: str, suffix: str) -> str:
    """Write ``text`` into a new file ``script-<digits><suffix>`` (0700) and return its path.

    Bytes that are not UTF-8, from an environment variable, stay as they are.

    Raises:
        HostError: The disk is full, the folder is not writable, or the text cannot be encoded.
    """
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise HostError(
            f"Cannot write the script: its character {error.start + 1} is half of a surrogate"
            " pair, which cannot be encoded.",
            hint="Write the character itself, or \\U and eight hexadecimal digits.",
        ) from error
    path = os.path.join(folder, f"script-{_digits()}{suffix}")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o700)
        with open(descriptor, "wb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
    except OSError as error:
        _refuse("write the temporary script", path, error)
    return path


def unnamed_file(parent: str | None = None) -> BinaryIO:
    """Open a temporary file that does not outlive its descriptor, nor this process.

    Raises:
        HostError: The disk is full, or the parent is missing or cannot be written.
    """
    parent = parent or parent_folder()
    try:
        return _unnamed_in(parent)
    except OSError as error:
        if not _is_made_again(parent, error):
            _refuse("make a temporary file in", parent, error)
    try:
        return _unnamed_in(parent)
    except OSError as error:
        _refuse("make a temporary file in", parent, error)


def _unnamed_in(parent: str) -> BinaryIO:
    path = os.path.join(parent, f"AWSTOE{_digits()}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _UNNAMED
    file = open(os.open(path, flags, 0o600), "w+b")  # noqa: SIM115
    _unlink_open_file(path)
    return file


def _is_made_again(parent: str, error: OSError) -> bool:
    kept = Parent.current
    return isinstance(error, FileNotFoundError) and bool(kept and kept.has_made_again(parent))


def remove_folder(path: str) -> None:
    """Remove a folder and everything in it, if it exists.

    Raises:
        HostError: Something in it cannot be removed.
    """
    try:
        if file_types.of_itself(os.lstat(path)) is file_types.FileType.LINK:
            renaming.unlink(path)
            return
        for folder, folders, files in os.walk(path, topdown=False, onerror=_raise):
            for name in files:
                _remove(os.path.join(folder, name), renaming.unlink)
            for name in folders:
                below = os.path.join(folder, name)
                _remove(below, renaming.unlink if file_types.is_link(below) else renaming.rmdir)
        _remove(path, renaming.rmdir)
    except FileNotFoundError:
        return
    except OSError as error:
        raise HostError(
            f"Cannot remove the temporary folder {path}: {error.filename}: {error.strerror}.",
            hint="Remove it yourself.",
        ) from error


def _remove(path: str, call: Callable[[str], None]) -> None:
    """Remove one entry, unless a process that the step left running was faster."""
    with contextlib.suppress(FileNotFoundError):
        call(path)


def _raise(error: OSError) -> None:
    raise error


def _restore(path: str, mode: int, owner: int, group: int) -> None:
    if sys.platform != "win32":
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                os.fchmod(descriptor, mode)
                if (owner, group) != (os.geteuid(), os.getegid()):
                    os.fchown(descriptor, owner, group)
        finally:
            os.close(descriptor)


def _digits() -> str:
    """Return ten unpredictable digits."""
    return f"{int.from_bytes(os.urandom(8), 'big') % 10**10:010}"


def _refuse(what: str, path: str, error: OSError) -> NoReturn:
    if error.errno in _FULL:
        hint = f"The disk is full: free some space, or set {VARIABLE} to a folder on another disk."
    elif isinstance(error, FileNotFoundError):
        hint = f"The folder does not exist: create it, or set {VARIABLE} to one that does."
    else:
        hint = f"Set {VARIABLE} to a folder that you can write to."
    raise HostError(f"Cannot {what} {path}: {error.strerror}.", hint=hint) from error
