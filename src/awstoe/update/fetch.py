"""Downloads a release into a private folder: bounded, resumable, checked against its hash.

A part that was downloaded is named by the hash of the whole, so that it can only be continued by
the same file. What is in the folder counts only if it is a plain file of ours that nobody else
could have written.
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
"""Called with the bytes that are there and the bytes of the whole."""

PART: Final = ".part"
"""Ends the name of a download that may not be complete; what it begins with is the hash."""

_FLAGS: Final = (
    os.O_RDWR
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", getattr(os, "O_NOINHERIT", 0))
    | getattr(os, "O_BINARY", 0)
)
_CHUNK_BYTES: Final = 1024 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def check_space(folder: str, length: int) -> None:
    """Refuse before the download what the disk has no room for.

    Raises:
        CannotWrite: There is not enough space.
    """
    wanted = length + limits.UPDATE_SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise CannotWrite(
            f"the disk of {folder} has {free // limits.MIB} MiB left, the new version needs"
            f" {wanted // limits.MIB} MiB",
            hint="make room there; nothing was changed",
        )


def missing_bytes(release: Release, folder: str) -> int:
    """How much of a release's program is not in ``folder`` yet."""
    try:
        present = os.lstat(_part(release, folder)).st_size
    except OSError:
        present = 0
    return max(release.length - present, 0)


def signature(repositories: Sequence[Repository], release: Release) -> bytes:
    """The detached signature of a release, as the metadata describes it.

    Raises:
        Unreachable: Nobody hands it out.
        Untrusted: What is handed out is something else.
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
    """Download a release's program; gives its path in ``folder``, where it is not executable yet.

    Raises:
        Unreachable: Nobody hands it out.
        Untrusted: What is handed out is something else.
        CannotWrite: The disk refused.
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
    """Download from one repository; gives why that failed, or None."""
    failed = 0
    while True:
        failed += 1
        try:
            continued = _download(repository, release, path, progress)
        except NotFound as error:
            return _explained(error, repository, release.path)
        except TooLarge as error:
            _discard(path)
            return _explained(error, repository, release.path)
        except HostError as error:
            failure = _explained(error, repository, release.path)
            seconds = None if _is_hopeless(error) else retry_delay(failed, error)
        except OSError as error:
            if error.errno in _FULL:  # others need the room more than we the part
                _discard(path)
            raise _cannot_write(path, error) from error
        else:
            if continued is None:
                return None
            failure = _wrong(repository, release.path, "the hash differs")
            # If all of it came from here, asking again gives the same.
            seconds = retry_delay(failed) if continued else None
        if seconds is None:
            return failure
        time.sleep(seconds)


def _is_hopeless(error: HostError) -> bool:
    """Whether a download that broke off so cannot be continued at the same region."""
    if isinstance(error, HttpStatusError):
        return not error.is_transient
    return not isinstance(error, RequestFailed) or isinstance(
        error, DeadlineExceeded | ServerNotTrusted
    )


def _download(
    repository: Repository, release: Release, path: str, progress: Progress
) -> bool | None:
    """Fetch what is missing. None: it is right; else whether a part of it had been there before.

    A wrong file is removed.

    Raises:
        Missing: There is none.
        TooLarge: It has more bytes than it should.
        HostError: It could not be had.
        OSError: It cannot be written.
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
                " broke off"
            )
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if digest.hexdigest() == release.sha256:
        return None
    _discard(path)
    return before > 0


def _open_private(path: str) -> int:
    """The part that is there, or a new file; never a link or a file of somebody else.

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
    """The hash and the size of what is there; a part that is too long is emptied."""
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
    if isinstance(error, TooLarge):
        return _wrong(repository, path, f"it is too long: {error}")
    if isinstance(error, NotFound):
        return Unreachable(
            f"{repository.name}: {path} is not there, though the metadata lists it",
            hint="a release may be in progress: try again, or another region",
        )
    hint = error.hint if isinstance(error, HostError) else None
    return Unreachable(f"{repository.name}: {error}", hint=hint)


def _wrong(repository: Repository, path: str, why: str) -> Untrusted:
    return Untrusted(
        f"{repository.name}: {path} is not the file that the metadata describes: {why}",
        hint="if other regions say the same, this may be an attack on updates: report it",
    )


def _cannot_write(path: str, error: OSError) -> CannotWrite:
    full = error.errno in _FULL
    return CannotWrite(
        f"the new version cannot be written to {os.path.dirname(path)}: {error.strerror}",
        hint="make room there; nothing was changed" if full else "nothing was changed",
    )
