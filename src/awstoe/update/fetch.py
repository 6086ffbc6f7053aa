"""Downloads a release into a private folder: bounded, resumable, checked against its hash.

An incomplete download (a part) is named by the hash of the whole file, so only the same file can
continue it. A part counts only if it is a regular file that no other user can have written.
"""

import errno
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from awstoe import limits
from awstoe.errors import AwstoeError, HostError
from awstoe.host.files.own_files import PRIVATE_FILE, write_all
from awstoe.host.network.errors import (
    ConnectionLost,
    DeadlineExceeded,
    HttpStatusError,
    RequestFailed,
    ServerNotTrusted,
)
from awstoe.update.errors import CannotWrite, Unreachable, Untrusted, combined
from awstoe.update.releases import Release
from awstoe.update.repository import NotFound, Repository, TooLarge, retry_delay

if TYPE_CHECKING:
    from hashlib import _Hash

Progress = Callable[[int, int], None]
"""Called with the number of bytes downloaded and the total."""

PART: Final = ".part"
"""Suffix of a download that may be incomplete; the rest of its name is the hash."""

_FLAGS: Final = (
    os.O_RDWR
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", getattr(os, "O_NOINHERIT", 0))
    | getattr(os, "O_BINARY", 0)
)
_CHUNK_BYTES: Final = 1024 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def check_space(folder: str, length: int) -> None:
    """Check before the download that the disk has room for it.

    Raises:
        CannotWrite: There is not enough space.
    """
    wanted = length + limits.UPDATE_SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise CannotWrite(
            f"the disk of {folder} has {free // limits.MIB} MiB left, the new version needs"
            f" {wanted // limits.MIB} MiB; nothing was changed",
            hint="free some space there",
        )


def missing_bytes(release: Release, folder: str) -> int:
    """Return how much of a release's program is not in ``folder`` yet."""
    try:
        present = os.lstat(_part(release, folder)).st_size
    except OSError:
        present = 0
    return max(release.length - present, 0)


def signature(repositories: Sequence[Repository], release: Release) -> bytes:
    """Download the detached signature of a release.

    Raises:
        Unreachable: No repository returned it.
        Untrusted: A repository returned something other than the metadata describes.
    """
    failures: list[AwstoeError] = []
    for repository in repositories:
        try:
            data = repository.read(release.signature_path, limits.SIGNATURE_BYTES)
        except (NotFound, TooLarge, HostError) as error:
            failures.append(_explained(error, repository, release.signature_path))
            continue
        if hashlib.sha256(data).hexdigest() == release.signature_sha256:
            return data
        failures.append(_wrong(repository, release.signature_path, "the hash differs"))
    raise combined(failures)


def program(
    repositories: Sequence[Repository], release: Release, folder: str, progress: Progress
) -> str:
    """Download a release's program into ``folder``, and return its path. It is not executable.

    Raises:
        Unreachable: No repository returned it.
        Untrusted: A repository returned something other than the metadata describes.
        CannotWrite: It could not be written.
    """
    path = _part(release, folder)
    failures: list[AwstoeError] = []
    for repository in repositories:
        failure = _from(repository, release, path, progress)
        if failure is None:
            return path
        failures.append(failure)
    raise combined(failures)


def _part(release: Release, folder: str) -> str:
    return os.path.join(folder, f"{release.sha256}{PART}")


def _from(
    repository: Repository, release: Release, path: str, progress: Progress
) -> AwstoeError | None:
    """Download from one repository, and return why that failed, or None."""
    failed = 0
    while True:
        failed += 1
        try:
            continued = _download(repository, release, path, progress)
        except NotFound as error:
            return _explained(error, repository, release.path)
        except (TooLarge, Untrusted) as error:
            _discard(path)
            return _explained(error, repository, release.path)
        except HostError as error:
            failure = _explained(error, repository, release.path)
            seconds = None if _is_hopeless(error) else retry_delay(failed, error)
        except OSError as error:
            if error.errno in _FULL:  # freeing the disk matters more than keeping the part
                _discard(path)
            raise _cannot_write(path, error) from error
        else:
            if continued is None:
                return None
            failure = _wrong(repository, release.path, "the hash differs")
            # If all of it came from here, another request would return the same.
            seconds = retry_delay(failed) if continued else None
        if seconds is None:
            return failure
        time.sleep(seconds)


def _is_hopeless(error: HostError) -> bool:
    """Whether a download that failed with ``error`` cannot be resumed at the same region."""
    if isinstance(error, HttpStatusError):
        return not error.is_transient
    return not isinstance(error, RequestFailed) or isinstance(
        error, DeadlineExceeded | ServerNotTrusted
    )


def _download(
    repository: Repository, release: Release, path: str, progress: Progress
) -> bool | None:
    """Download what is missing of a file, and remove the file if its hash is wrong.

    Returns:
        None if the file is right; otherwise whether a part of it had been there before.

    Raises:
        NotFound: The repository does not have the file.
        TooLarge: The file has more bytes than it should.
        HostError: It could not be downloaded.
        OSError: It could not be written.
    """
    descriptor = _open_private(path)
    try:
        digest, present = _present(descriptor, release.length)
        before = present
        if present < release.length:
            piece = repository.open(release.path, offset=present, length=release.length)
            with piece as (offset, chunks):
                if offset != present:
                    digest, present, before = hashlib.sha256(), 0, 0
                    os.ftruncate(descriptor, 0)
                os.lseek(descriptor, present, os.SEEK_SET)
                for chunk in chunks:
                    present += len(chunk)
                    if present > release.length:
                        raise TooLarge(f"{release.path}: more than {release.length} bytes")
                    write_all(descriptor, chunk)
                    digest.update(chunk)
                    progress(present, release.length)
        if present < release.length:
            raise ConnectionLost(
                f"{release.path}: expected {release.length} bytes, got {present}: the connection"
                " was lost"
            )
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if digest.hexdigest() == release.sha256:
        return None
    _discard(path)
    return before > 0


def _open_private(path: str) -> int:
    """Open the existing part or a new file; never a link, or a file of another user.

    Raises:
        OSError: It cannot be opened.
    """
    try:
        descriptor = os.open(path, _FLAGS)
        if _is_ours(os.fstat(descriptor)):
            return descriptor
        os.close(descriptor)
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        os.unlink(path)
    return os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)


def _is_ours(found: os.stat_result) -> bool:
    mine = not hasattr(os, "geteuid") or (
        found.st_uid == os.geteuid() and not found.st_mode & 0o077
    )
    return mine and stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _present(descriptor: int, length: int) -> "tuple[_Hash, int]":
    """Return the hash and size of the existing part; empty it if it is too long."""
    digest = hashlib.sha256()
    size = os.fstat(descriptor).st_size
    if size > length:
        os.ftruncate(descriptor, 0)
        return digest, 0
    while data := os.read(descriptor, _CHUNK_BYTES):
        digest.update(data)
    return digest, size


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _explained(error: Exception, repository: Repository, path: str) -> AwstoeError:
    if isinstance(error, Untrusted):  # a damaged bundle
        return error
    if isinstance(error, TooLarge):
        return _wrong(repository, path, f"it is too large: {error}")
    if isinstance(error, NotFound):
        return Unreachable(
            f"{repository.name}: {path} does not exist, although the metadata lists it",
            hint=repository.missing_hint,
        )
    hint = error.hint if isinstance(error, HostError) else None
    return Unreachable(f"{repository.name}: {error}", hint=hint)


def _wrong(repository: Repository, path: str, why: str) -> Untrusted:
    return Untrusted(
        f"{repository.name}: {path} is not the file that the metadata describes: {why}",
        hint=repository.changed_hint,
    )


def _cannot_write(path: str, error: OSError) -> CannotWrite:
    full = error.errno in _FULL
    return CannotWrite(
        f"the new version cannot be written to {os.path.dirname(path)}: {error.strerror};"
        " nothing was changed",
        hint="free some space there" if full else None,
    )
