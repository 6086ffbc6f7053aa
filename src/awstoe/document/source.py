"""Finds documents and reads their bytes. Only this part of the package does I/O."""

import os
import re
import stat
from collections.abc import Iterable
from typing import BinaryIO, Final

from awstoe import limits
from awstoe.document.suggestions import closest
from awstoe.errors import DocumentError
from awstoe.expressions.values import quoted
from awstoe.host.files.shell_paths import file_url_path, shell_path, shell_path_hint

STANDARD_INPUT: Final = "-"
"""The name of standard input."""

_SUFFIXES: Final = (".yml", ".yaml", ".json")
_WILDCARDS: Final = frozenset("*?[")
_PASSED_OVER: Final = re.compile(r"\.|TOE_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_UTC-0_")
_REMOTE: Final = {
    "s3://": "S3 URIs",
    "arn:": "component ARNs",
    "https://": "URLs",
    "http://": "URLs",
}
_WINDOWS_PATH: Final = re.compile(r"[A-Za-z]:\\|\\\\")
_SIBLINGS: Final = 1000
"""File names considered for a "did you mean": a folder can contain millions."""
_KINDS: Final = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class SourceError(DocumentError):
    """A document cannot be found or read.

    Attributes:
        reason: Why, without the document's name; ``message`` starts with the name.
    """

    def __init__(self, name: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{name}: {reason}" if name else reason, hint=hint)
        self.reason = reason


def expand(names: Iterable[str], *, stdin_taken: bool) -> list[str]:
    """Return the documents that ``names`` refer to, in order.

    A folder refers to the ``.yml``, ``.yaml`` and ``.json`` files in it and its subfolders, sorted,
    except hidden folders and the log folders of runs, which have copies of documents.
    A name with wildcards refers to the files it matches, sorted, unless a file has exactly that
    name.

    Args:
        names: Files, folders, patterns, or ``-`` for standard input.
        stdin_taken: Whether ``-`` was one of the documents before these.

    Raises:
        SourceError: A folder or a pattern has no documents, or ``-`` is used twice.
    """
    found: list[str] = []
    for name in names:
        if name == STANDARD_INPUT:
            if stdin_taken or name in found:
                raise SourceError(
                    "",
                    "standard input ('-') can be only one of the documents",
                    hint="write './-' for a file named '-'",
                )
            found.append(name)
        elif remote(name):
            found.append(name)
        elif os.path.isdir(name):
            found += _below(name)
        elif not _WILDCARDS.isdisjoint(name) and not os.path.lexists(name):
            found += _matches(name)
        else:
            found.append(name)
    return found


def read(path: str, stdin: BinaryIO | None = None) -> bytes:
    """Return the bytes of a document.

    Args:
        path: Its path, or ``-``.
        stdin: The stream that ``-`` refers to.

    Raises:
        SourceError: It does not exist, is not a regular file, cannot be read, or is too large.
    """
    if path == STANDARD_INPUT and stdin is not None:
        return _bounded(stdin, "<stdin>")
    if kind := remote(path):
        raise SourceError(
            path,
            f"{kind} cannot be used as documents in this version of awstoe",
            hint="download the document and give the path of the file",
        )
    if (plain := file_url_path(path)) is not None and not os.path.lexists(path):
        raise SourceError(path, "expected a path, got a URL", hint=f"write {plain}")
    if "\0" in path or not path:
        raise SourceError("", f"expected the path of a document, got {quoted(path)}")
    try:
        _check_kind(path, os.stat(path).st_mode)
        # If a pipe has replaced the file in the meantime, opening it must not wait for a writer.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as stream:
            _check_kind(path, os.fstat(stream.fileno()).st_mode)
            return _bounded(stream, path)
    except FileNotFoundError:
        if os.path.islink(path):
            reason = f"it is a link to {os.readlink(path)}, which does not exist"
            raise SourceError(path, reason) from None
        raise SourceError(path, "there is no such file", hint=_sibling(path)) from None
    except NotADirectoryError:
        raise SourceError(path, "a part of this path is a file, not a folder") from None
    except PermissionError:
        raise SourceError(
            path,
            "the file cannot be read: permission denied",
            hint="run awstoe as a user with read permission, or change the file's permissions",
        ) from None
    except OSError as error:
        raise SourceError(path, f"the file cannot be read: {error.strerror}") from None


def _bounded(stream: BinaryIO, name: str) -> bytes:
    """Return the content of ``stream``; read at most one byte more than the limit for documents.

    Raises:
        SourceError: The content exceeds the limit.
    """
    parts: list[bytes] = []
    left = limits.DOCUMENT_BYTES + 1
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    if not left:
        raise SourceError(
            name,
            f"the document is larger than {limits.DOCUMENT_BYTES // limits.MIB} MiB, the maximum",
            hint="check that it is a component document, and move scripts and data to other files",
        )
    return b"".join(parts)


def _check_kind(path: str, mode: int) -> None:
    """Check that the file is a regular file.

    Raises:
        SourceError: It is not.
    """
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise SourceError(
            path, "expected a file, got a folder", hint="give the path of a document in it"
        )
    kind = next((name for test, name in _KINDS if test(mode)), "something else")
    raise SourceError(
        path,
        f"expected a regular file, got {kind}",
        hint="use '-' to read a document from standard input",
    )


def remote(name: str) -> str | None:
    """Return what kind of remote address ``name`` is, or None for a path."""
    start = name[: max(map(len, _REMOTE))].lower()
    return next((kind for prefix, kind in _REMOTE.items() if start.startswith(prefix)), None)


def _below(folder: str) -> list[str]:
    """Return the documents in ``folder`` and its subfolders, sorted.

    Raises:
        SourceError: There are none.
    """
    found: list[str] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not _PASSED_OVER.match(each)]
        found += [os.path.join(parent, each) for each in names if _is_document(each)]
    found.sort()
    if not found:
        raise SourceError(
            folder,
            "there are no documents in this folder",
            hint="give documents the extension .yml, .yaml or .json",
        )
    return found


def _is_document(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")


def _matches(pattern: str) -> list[str]:
    """Return the files that ``pattern`` matches, sorted.

    Raises:
        SourceError: There are none.
    """
    # Imported here because a shell usually expands patterns.
    from glob import glob  # noqa: PLC0415

    found = sorted(name for name in glob(pattern, recursive=True) if not os.path.isdir(name))
    if not found:
        raise SourceError(pattern, "no file matches this pattern")
    return found


def _sibling(path: str) -> str | None:
    """Return a hint with the file that was probably meant."""
    if shell_form := shell_path(path):
        return shell_path_hint(shell_form)
    if "," in path and all(map(os.path.lexists, path.split(","))):
        return "separate documents with spaces, or use --documents"
    folder, name = os.path.split(path)
    if os.sep == "/" and "\\" in path:
        if os.path.lexists(plain := path.replace("\\", "/")):
            return f"did you mean {plain!r}?"
        if _WINDOWS_PATH.match(path):
            return "give the path on this machine; this one is for Windows"
    try:
        with os.scandir(folder or os.curdir) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_SIBLINGS), strict=False)]
    except OSError:
        return f"there is no folder {quoted(folder)}"
    found = closest(name, names)
    return f"did you mean {os.path.join(folder, found)!r}?" if found else None
