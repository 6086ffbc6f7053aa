"""Private temporary folders and script files, in few system calls.

Folders are named as AWSTOE names them (``AWSTOE<digits>``), are open to the user alone (0700), and
are made with an unpredictable name that did not exist before. Every failure is a ``HostError``
that names the path and what to do; removal never follows a symbolic link.
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
    # Windows: where temporary files go.

    VARIABLE: Final = "TMP"
    """What names another folder."""
    ONCE: Final = os.O_TEMPORARY | os.O_BINARY | os.O_NOINHERIT
    """What makes a file vanish at its close, also when the process is killed."""

    def parent_folder() -> str:
        r"""The folder for temporary files: ``TMP``, ``TEMP``, else ``%SystemRoot%\Temp``."""
        found = os.environ.get(VARIABLE) or os.environ.get("TEMP")
        if not found:
            found = os.path.join(os.environ.get("SYSTEMROOT") or r"C:\Windows", "Temp")
        return os.path.abspath(found)

    def unlink_open_file(path: str) -> None:
        """Nothing to do: an open file keeps its name until its close."""
        del path


else:
    # Linux: where temporary files go.

    VARIABLE: Final = "TMPDIR"
    """What names another folder."""
    ONCE: Final = 0
    """What makes a file vanish at its close: here its name is taken away at once."""

    def parent_folder() -> str:
        """The folder for temporary files: ``TMPDIR``, else the system's."""
        # What is made below it has an unpredictable name and 0700.
        return os.path.abspath(os.environ.get(VARIABLE) or "/tmp")  # noqa: S108

    def unlink_open_file(path: str) -> None:
        """Leave nothing but the open file.

        Raises:
            OSError: The system refused.
        """
        os.unlink(path)


_ATTEMPTS: Final = 100
_BINARY: Final = getattr(os, "O_BINARY", 0)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

"""The environment variable that names another folder."""


def make_folder(parent: str | None = None) -> str:
    """Make a folder ``AWSTOE<digits>`` (0700) and give its path.

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
        f"Cannot make a temporary folder in {parent}: {_ATTEMPTS} names in a row were taken.",
        hint=f"Remove left-over AWSTOE folders from {parent}.",
    )


def write_script(folder: str, text: str, suffix: str) -> str:
    """Write ``text`` into a new file ``script-<digits><suffix>`` (0700) and give its path.

    Text that came from an environment variable with bytes that are no UTF-8 keeps these bytes.

    Raises:
        HostError: The disk is full, the folder is not writable, or the text cannot be encoded.
    """
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise HostError(
            f"Cannot write the script: character {error.start + 1} of it is half of a surrogate"
            " pair, which no file can hold.",
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
    """A temporary file that no name leads to: it is gone when it is closed, or we are.

    Raises:
        HostError: The disk is full, or the parent is missing or cannot be written.
    """
    parent = parent or parent_folder()
    path = os.path.join(parent, f"AWSTOE{_digits()}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | ONCE
    try:
        file = open(os.open(path, flags, 0o600), "w+b")  # noqa: SIM115
        unlink_open_file(path)
    except OSError as error:
        _refuse("make a temporary file in", parent, error)
    return file


def remove_folder(path: str) -> None:
    """Remove a folder with all that is in it; one that is gone already is no error.

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
            hint="Remove it by hand.",
        ) from error


def _remove(path: str, call: Callable[[str], None]) -> None:
    """Remove one entry; what the step left running may have been faster."""
    with contextlib.suppress(FileNotFoundError):
        call(path)


def _raise(error: OSError) -> None:
    raise error


def _digits() -> str:
    """Ten digits nobody can foresee."""
    return f"{int.from_bytes(os.urandom(8), 'big') % 10**10:010}"


def _refuse(what: str, path: str, error: OSError) -> NoReturn:
    if error.errno in _FULL:
        hint = f"The disk is full: make room, or set {VARIABLE} to a folder on another one."
    elif isinstance(error, FileNotFoundError):
        hint = f"The folder does not exist: make it, or set {VARIABLE} to one that does."
    else:
        hint = f"Set {VARIABLE} to a folder that you may write."
    raise HostError(f"Cannot {what} {path}: {error.strerror}.", hint=hint) from error
