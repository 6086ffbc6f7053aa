"""awstoe's own files: atomic replacement, flushing.

Only their user may read them, and no reader may ever see half a file. The files of a run are in
folders that stay open: see ``own_folder``. For the user's files see ``atomic_replace`` and
``regular_files``.
"""

import errno
import os

from awstoe.errors import HostError
from awstoe.host.files import renaming

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_CANNOT = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
_OPEN_FLAGS = getattr(os, "O_CLOEXEC", getattr(os, "O_NOINHERIT", 0)) | getattr(os, "O_BINARY", 0)


def explain(error: OSError, doing: str) -> HostError:
    """Return ``error`` as text for a user; ``doing`` completes "cannot ...", path included."""
    reason = error.strerror or str(error)
    hints = {
        errno.ENOSPC: "free some space on that disk, or use another folder",
        errno.EDQUOT: "the disk quota is used up: free some space, or use another folder",
        errno.EFBIG: "the file reached the size limit of this process (ulimit -f)",
        errno.EACCES: "check the permissions, or run as a user with these permissions",
        errno.EPERM: "check the permissions, or run as a user with these permissions",
        errno.EROFS: "the file system is mounted read-only: use another folder",
        errno.ENOTDIR: "a part of the path is a file, not a folder",
    }
    return HostError(f"cannot {doing}: {reason}", hint=hints.get(error.errno or 0))


def folder_chain(path: str) -> list[str]:
    """Return the folders that will have new entries once the folder ``path`` exists.

    They are ``path``, the missing folders above it, and the first one that exists.
    """
    chain = [os.path.abspath(path)]
    while not os.path.isdir(chain[-1]) and os.path.dirname(chain[-1]) != chain[-1]:
        chain.append(os.path.dirname(chain[-1]))
    return chain


def replace_file(path: str, chunks: list[bytes], *, durable: bool = False) -> None:
    """Write ``chunks`` to ``path`` so that readers see the old or the new file, never a part.

    The temporary name is fixed, so the next write removes what a killed one left. It is never the
    name of a file that was there before: that may be another user's link.

    Args:
        path: The file.
        chunks: Its new content.
        durable: Whether to flush it to the disk, so that it survives a power failure: slow.

    Raises:
        HostError: It cannot be written. The old file is unchanged, unless only flushing its folder
            failed.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.tmp")
    try:
        descriptor = _new_file(temporary)
        try:
            for chunk in chunks:
                write_all(descriptor, chunk)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        renaming.replace(temporary, path)
        if durable:
            sync_path(folder or os.curdir)
    except OSError as error:
        try:
            renaming.unlink(temporary)
        except OSError:
            pass
        raise explain(error, f"write {path}") from error


def _new_file(path: str) -> int:
    """Open a new file in the place of one that a killed process left."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN_FLAGS
    try:
        return os.open(path, flags, PRIVATE_FILE)
    except FileExistsError:
        renaming.unlink(path)
    return os.open(path, flags, PRIVATE_FILE)


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of ``data``; ``os.write`` may write only a part.

    Raises:
        OSError: It cannot be written.
    """
    written = os.write(descriptor, data)
    if written == len(data):
        return
    rest = memoryview(data)[written:]
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_path(path: str) -> None:
    """Flush a file, or the names in a folder, to the disk if the system supports it.

    Raises:
        OSError: The disk failed.
    """
    is_folder = os.path.isdir(path)
    if is_folder and not hasattr(os, "O_DIRECTORY"):
        return
    # Windows, which has no O_DIRECTORY, flushes only files opened for writing.
    # Without O_NONBLOCK, a pipe in the place of the file would keep us here.
    nonblocking = getattr(os, "O_NONBLOCK", 0)
    access = os.O_RDONLY | nonblocking if hasattr(os, "O_DIRECTORY") else os.O_RDWR
    try:
        descriptor = os.open(path, access | _OPEN_FLAGS)
    except PermissionError:
        if is_folder:  # one that may be written but not read
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and shared file systems can flush only files.
        if not is_folder or error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)
