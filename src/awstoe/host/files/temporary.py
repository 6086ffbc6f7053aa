"""Private temporary folders and script files, in few system calls.

A folder has a name as AWSTOE's (``AWSTOE<digits>``), unpredictable and new, and is open to its user
alone (0700). Every failure is a ``HostError`` that names the path and what to do. Removal never
follows a symbolic link.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import BinaryIO, Final, NoReturn

from awstoe.errors import HostError
from awstoe.host.files import file_types, renaming

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

    def _unlink_open_file(path: str) -> None:
        del path  # an open file keeps its name until it is closed


else:
    from functools import cache

    from awstoe.host.files import foreign_writes

    _PLACES: Final = ("/tmp", "/var/tmp")  # noqa: S108 - private folders are made in them
    VARIABLE: Final = "TMPDIR"
    """The environment variable that names the parent folder."""
    _BINARY: Final = 0
    _UNNAMED: Final = 0

    def parent_folder() -> str:
        """Return the folder for temporary files: ``TMPDIR``, ``/tmp`` or ``/var/tmp``.

        Scripts are run from what is made in it, so the first one is taken in which no other user
        can replace that; if there is none, the first one that is set.
        """
        wanted = os.path.abspath(os.environ.get(VARIABLE) or _PLACES[0])
        if not _is_foreign(wanted):
            return wanted
        return next((each for each in _PLACES if not _is_foreign(each)), wanted)

    @cache
    def _is_foreign(folder: str) -> bool:
        try:
            return foreign_writes.possible(folder)
        except OSError:
            return False  # making something in it will say why that cannot be

    def _unlink_open_file(path: str) -> None:
        os.unlink(path)


_ATTEMPTS: Final = 100
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def make_folder(parent: str | None = None) -> str:
    """Make a folder ``AWSTOE<digits>`` (0700) and return its path.

    Raises:
        HostError: The disk is full, or the parent is missing or cannot be written.
    """
    parent = parent or parent_folder()
    for _ in range(_ATTEMPTS):
        path = os.path.join(parent, f"AWSTOE{_digits()}")
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue
        except OSError as error:
            _refuse("make a temporary folder in", parent, error)
        return path
    raise HostError(
        f"Cannot make a temporary folder in {parent}: {_ATTEMPTS} names in a row exist already.",
        hint=f"Remove leftover AWSTOE folders from {parent}.",
    )


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
    path = os.path.join(parent, f"AWSTOE{_digits()}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _UNNAMED
    try:
        file = open(os.open(path, flags, 0o600), "w+b")  # noqa: SIM115
        _unlink_open_file(path)
    except OSError as error:
        _refuse("make a temporary file in", parent, error)
    return file


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
