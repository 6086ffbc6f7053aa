"""Reads and appends to regular files of the user. FIFOs and devices could hang: they are errors."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from awstoe.errors import ActionError
from awstoe.host.files import file_types, plain_files, targets
from awstoe.host.files.oserrors import quoted
from awstoe.host.files.own_files import write_all
from awstoe.limits import MIB


@contextmanager
def opened(path: str, flags: int = os.O_RDONLY, *, follow_link: bool = True) -> Iterator[int]:
    """Open the regular file at ``path``; a context manager that closes its descriptor.

    Raises:
        ActionError: It is missing, a folder or a special file.
        OSError: It cannot be opened.
    """
    file_types.require_file(path)
    try:
        descriptor = plain_files.open_descriptor(path, flags, follow_link=follow_link)
    except plain_files.NotPlainError as error:  # something has replaced it after the check
        raise ActionError(f"{quoted(path)}: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_limited(path: str, limit: int) -> bytes:
    """Return the content of a file of up to ``limit`` bytes.

    Raises:
        ActionError: It is not a regular file, or larger.
        OSError: It cannot be read.
    """
    pieces = []
    total = 0
    with opened(path) as descriptor:
        while total <= limit and (data := os.read(descriptor, MIB)):
            pieces.append(data)
            total += len(data)
        size = max(total, os.fstat(descriptor).st_size)
    if total > limit:
        raise ActionError(
            f"{quoted(path)} has {size:,} bytes; the limit for an output is {limit:,}",
            hint="read the part you need with ExecuteBash and head, tail or grep",
        )
    return b"".join(pieces)


def chunks(path: str, checkpoint: Callable[[], None]) -> Iterator[bytes]:
    """Yield the content of a file, piece by piece.

    Raises:
        ActionError: It is not a regular file.
        OSError: It cannot be read.
    """
    with opened(path) as descriptor:
        while data := os.read(descriptor, MIB):
            yield data
            checkpoint()


def append(path: str, data: bytes) -> None:
    """Append ``data`` to the file; if that fails halfway, remove what was appended.

    Raises:
        ActionError: It is not a regular file.
        OSError: It cannot be written.
    """
    file_types.require_file(path)
    with targets.held(path) as held, opened(held, os.O_WRONLY | os.O_APPEND) as descriptor:
        size = os.fstat(descriptor).st_size
        try:
            write_all(descriptor, data)
        except OSError as error:
            os.ftruncate(descriptor, size)
            raise OSError(error.errno, error.strerror, path) from error
