"""Finds documents and reads their bytes; the only part of this package that does I/O."""

import os
import stat
from collections.abc import Iterable
from typing import BinaryIO, Final

from awstoe import limits
from awstoe.document.suggestions import closest
from awstoe.errors import DocumentError
from awstoe.expressions.values import quoted

STANDARD_INPUT: Final = "-"
"""The name that stands for standard input."""

_SUFFIXES: Final = (".yml", ".yaml", ".json")
_WILDCARDS: Final = frozenset("*?[")
_REMOTE: Final = {
    "s3://": "S3 URIs",
    "arn:": "component ARNs",
    "https://": "URLs",
    "http://": "URLs",
}
_SIBLINGS: Final = 1000
"""Names looked at for a "did you mean": a folder may hold millions."""
_KINDS: Final = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def expand(names: Iterable[str], *, stdin_allowed: bool) -> list[str]:
    """The documents that ``names`` stand for, in order.

    A folder stands for the ``.yml``, ``.yaml`` and ``.json`` files below it, sorted; a name with
    wildcards for what it matches, sorted, unless there is a file of that very name.

    Args:
        names: Files, folders, patterns, or ``-`` for standard input.
        stdin_allowed: Whether ``-`` can be used.

    Raises:
        DocumentError: A folder or a pattern holds no document, or ``-`` cannot be used.
    """
    found: list[str] = []
    for name in names:
        if name == STANDARD_INPUT:
            if not stdin_allowed:
                raise DocumentError(
                    "a document cannot be read from standard input here",
                    hint="name a file; one whose name is '-' can be written './-'",
                )
            if name in found:
                raise DocumentError("standard input ('-') can be only one of the documents")
            found.append(name)
        elif _remote(name):
            found.append(name)
        elif os.path.isdir(name):
            found += _below(name)
        elif not _WILDCARDS.isdisjoint(name) and not os.path.lexists(name):
            found += _matching(name)
        else:
            found.append(name)
    return found


def read(path: str, stdin: BinaryIO | None = None) -> bytes:
    """The bytes of a document.

    Args:
        path: Its path, or ``-``.
        stdin: What ``-`` stands for.

    Raises:
        DocumentError: It is not there, no regular file, cannot be read, or is too large.
    """
    if path == STANDARD_INPUT and stdin is not None:
        return _bounded(stdin, "<stdin>")
    if remote := _remote(path):
        raise DocumentError(
            f"{path}: {remote} cannot be used as documents in this version of awstoe",
            hint="download the document, and name the file",
        )
    if "\0" in path or not path:
        raise DocumentError(f"expected the path of a document, got {quoted(path)}")
    try:
        _check_kind(path, os.stat(path).st_mode)
        # Should a pipe have taken the file's place, opening it must not wait for a writer.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as stream:
            _check_kind(path, os.fstat(stream.fileno()).st_mode)
            return _bounded(stream, path)
    except FileNotFoundError:
        raise DocumentError(f"{path}: there is no such file", hint=_sibling(path)) from None
    except NotADirectoryError:
        raise DocumentError(f"{path}: a part of this path is a file, not a folder") from None
    except PermissionError:
        raise DocumentError(
            f"{path}: the file cannot be read: permission denied",
            hint="run awstoe as a user who may read it, or change the file's permissions",
        ) from None
    except OSError as error:
        raise DocumentError(f"{path}: the file cannot be read: {error.strerror}") from None


def _bounded(stream: BinaryIO, name: str) -> bytes:
    """What ``stream`` holds, reading at most one byte more than a document may have.

    Raises:
        DocumentError: It holds more.
    """
    parts: list[bytes] = []
    left = limits.DOCUMENT_BYTES + 1
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    if not left:
        raise DocumentError(
            f"{name}: the document is larger than {limits.DOCUMENT_BYTES // limits.MIB} MiB,"
            " the most that is read",
            hint="is it a document? scripts and data can be files of their own",
        )
    return b"".join(parts)


def _check_kind(path: str, mode: int) -> None:
    """Refuse what is no regular file.

    Raises:
        DocumentError: It is none.
    """
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise DocumentError(f"{path}: expected a file, got a folder", hint="name a document in it")
    kind = next((words for test, words in _KINDS if test(mode)), "something else")
    raise DocumentError(
        f"{path}: expected a regular file, got {kind}",
        hint="'awstoe validate' reads standard input when the document is named '-'",
    )


def _remote(name: str) -> str | None:
    """What kind of address ``name`` is, if it is none of a file."""
    return next((kind for prefix, kind in _REMOTE.items() if name.startswith(prefix)), None)


def _below(folder: str) -> list[str]:
    """The documents in ``folder`` and its sub-folders, sorted.

    Raises:
        DocumentError: There are none.
    """
    found = sorted(
        os.path.join(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(_SUFFIXES)
    )
    if not found:
        raise DocumentError(
            f"{folder}: there are no documents in this folder",
            hint=f"expected files that end in {', '.join(_SUFFIXES)}",
        )
    return found


def _matching(pattern: str) -> list[str]:
    """The files that ``pattern`` matches, sorted.

    Raises:
        DocumentError: There are none.
    """
    # Only for patterns that no shell has expanded.
    from glob import glob  # noqa: PLC0415

    found = sorted(name for name in glob(pattern, recursive=True) if not os.path.isdir(name))
    if not found:
        raise DocumentError(f"{pattern}: no file matches this pattern")
    return found


def _sibling(path: str) -> str | None:
    """A hint that names the file that was probably meant."""
    folder, name = os.path.split(path)
    try:
        with os.scandir(folder or os.curdir) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_SIBLINGS), strict=False)]
    except OSError:
        return f"there is no folder {quoted(folder)}"
    found = closest(name, names)
    return f"did you mean {os.path.join(folder, found)!r}?" if found else None
