"""Puts a checked program in the place of the running one; a kill at any point does no harm.

On Linux there is always a file of the program's name: the old file gets a second name, and a rename
replaces the first. On Windows the running file is moved aside first. The old file is kept until the
new program has printed its version from its final path; after a kill, ``recovery`` puts it back.
"""

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from awstoe import limits
from awstoe.errors import HostError, TrustError
from awstoe.host.executable import swap
from awstoe.host.files import plain_files, renaming
from awstoe.host.files.own_files import replace_file, sync_path
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update import install_record, layout, smoke_test, verify
from awstoe.update.errors import CannotWrite, DoesNotStart, RolledBack, Untrusted
from awstoe.update.install_record import InstallRecord, InstallStep
from awstoe.update.installation import Installation, check_unchanged
from awstoe.update.workspace import Workspace

Lock = Callable[[str], int]
"""Locks a program against processes that run or replace it, and returns the descriptor to keep."""
Warn = Callable[[str], None]
"""Called with what the user should know although the update succeeds."""

_EXECUTABLE: Final = 0o700
_PUBLIC: Final = 0o644
_NO_SIGNATURE: Final = frozenset({errno.ELOOP, errno.EFBIG, errno.ENXIO})
"""A link, a file that is too large, and a socket."""
_INSPECT: Final = "nothing was changed; find out what happened in that folder"
_NO_WAY_BACK: Final = "--rollback needs the network and a --version"


class InstallObserver(Protocol):
    """Receives the progress of an installation."""

    def warn(self, text: str) -> None:
        """Report what the user should know although the update succeeds."""

    def reached(self, step: InstallStep) -> None:
        """Report that a step is done; called from outside the swap, it may raise to stop."""


class Candidate:
    """A program to install.

    Args:
        staged: Its path in the workspace.
        record: The version and hash that it must have.
        signature: Its detached signature.
        trust: The keys that must have signed it.
        platform: The platform that it is for.
    """

    def __init__(
        self,
        staged: str,
        record: InstallRecord,
        signature: bytes,
        trust: ReleaseTrust,
        platform: str,
    ) -> None:
        self.staged = staged
        self.record = record
        self.signature = signature
        self.trust = trust
        self._platform = platform
        self._identity: tuple[int, int, int, int] | None = None

    def verify(self) -> None:
        """Check the closed file, and remember which file that was.

        Raises:
            Untrusted: It is not what was signed.
            OSError: It cannot be read.
        """
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(self.staged, flags), "rb") as file:
            before = verify.identity(os.fstat(file.fileno()), self.staged)
            verify.check(
                file,
                self.staged,
                self.signature,
                self.trust,
                platform=self._platform,
                sha256=self.record.sha256,
            )
            if verify.identity(os.fstat(file.fileno()), self.staged) != before:
                raise Untrusted(f"{self.staged} was changed while it was checked: {_INSPECT}")
        self._identity = before

    def check_same(self, path: str) -> None:
        """Check that ``path`` is the file that ``verify`` checked.

        Raises:
            Untrusted: It is another file.
        """
        try:
            now = verify.identity(os.lstat(path), path)
        except OSError as error:
            raise Untrusted(f"{path} was removed after it was checked: {_INSPECT}") from error
        if now != self._identity:
            raise Untrusted(f"{path} was replaced after it was checked: {_INSPECT}")


def install(
    program: Installation,
    work: Workspace,
    candidate: Candidate,
    lock: Lock,
    observer: InstallObserver,
) -> None:
    """Check ``candidate`` and put it in the place of ``program``.

    Raises:
        Untrusted: The candidate is not what was signed.
        DoesNotStart: It does not start on this machine.
        Busy: A run is in progress, or the program was replaced in the meantime.
        CannotWrite: The system rejected an operation; nothing was changed.
        RolledBack: It failed in its final place; the old program is back.
    """
    try:
        candidate.verify()
        os.chmod(candidate.staged, _EXECUTABLE)
        renaming.replace(candidate.staged, work.new)
        candidate.check_same(work.new)
        observer.reached(InstallStep.VERIFIED)
        smoke_test.check(work.new, candidate.record.version)
        observer.reached(InstallStep.STARTED)
        candidate.check_same(work.new)
        swap.preserve_attributes(program.path, work.new)
        observer.reached(InstallStep.ATTRIBUTES_COPIED)
        _keep_signature(program, work, candidate.trust)
        write_signature(work.new_signature, candidate.signature)
        install_record.write(work.record, candidate.record)
    except (OSError, HostError) as error:
        raise _cannot_replace(program, error) from error
    locks = [lock(program.path)]
    try:
        # A process that starts the new file from its final path waits until the swap is complete.
        locks.append(lock(work.new))
        check_unchanged(program)
        observer.reached(InstallStep.RECORDED)
        _swap(program, work, candidate, observer)
        commit(program, work, observer.warn)
        observer.reached(InstallStep.COMMITTED)
    finally:
        for each in locks:
            os.close(each)


def _swap(
    program: Installation, work: Workspace, candidate: Candidate, observer: InstallObserver
) -> None:
    """Swap the files. Everything needed is loaded already, and nothing may interrupt this.

    Raises:
        Untrusted: The file is not the one that was checked; nothing was changed.
        CannotWrite: The system rejected an operation; nothing was changed.
        RolledBack: The new program failed in its final place, or could not be put there.
    """
    beside = program.path + layout.SIGNATURE
    try:
        swap.keep(program.path, work.old)
        observer.reached(InstallStep.BACKED_UP)
        candidate.check_same(work.new)
        swap.replace(program.path, work.new, work.old)
    except BaseException as error:
        _forget_old(program, work, error)
        if isinstance(error, OSError | HostError):
            raise _cannot_replace(program, error) from error
        raise
    try:
        observer.reached(InstallStep.SWAPPED)
        candidate.check_same(program.path)
        renaming.replace(work.new_signature, beside)
        observer.reached(InstallStep.SIGNED)
        verify_in_place(program.path, candidate.record)
        observer.reached(InstallStep.HEALTHY)
    except (OSError, HostError, Untrusted, DoesNotStart) as error:
        roll_back(program, work)
        raise RolledBack(
            f"the new version failed after the swap, and {program.version} is back: {error}"
        ) from error


def _forget_old(program: Installation, work: Workspace, error: BaseException) -> None:
    """Remove the second name of the old program, which still has its own: nothing was swapped.

    Raises:
        RolledBack: It has no other name: Windows allowed to move it aside, but not back.
    """
    if not os.path.exists(program.path):
        raise RolledBack(
            f"{program.path} was moved aside and cannot be moved back ({error}): it is {work.old}",
            hint=f"move it to {program.path}",
        ) from error
    with suppress(OSError):  # two names of one program: the next update removes this one
        swap.remove(work.old)


def verify_in_place(path: str, record: InstallRecord) -> None:
    """Check that the installed program is the intended one, and starts.

    Raises:
        Untrusted: It is another file.
        DoesNotStart: It does not start.
        OSError: It cannot be read.
    """
    if digest(path) != record.sha256:
        raise Untrusted(f"{path} is not the file that was put there")
    smoke_test.check(path, record.version)


def roll_back(program: Installation, work: Workspace) -> None:
    """Give the old program its name back, and its signature.

    Raises:
        RolledBack: That failed; the message says where the old program is.
    """
    beside = program.path + layout.SIGNATURE
    try:
        swap.replace(program.path, work.old, work.new)
    except OSError as error:
        raise RolledBack(
            f"the new version failed after the swap, and the old one cannot be put back"
            f" ({error.strerror}): it is {work.old}",
            hint=f"move it to {program.path}",
        ) from error
    with suppress(OSError):  # a program works without its signature; verify-signature reports it
        if os.path.exists(work.old_signature):
            renaming.replace(work.old_signature, beside)
        elif not os.path.exists(work.new_signature):
            swap.remove(beside)


def commit(program: Installation, work: Workspace, warn: Warn) -> None:
    """Make the old program the previous one.

    If it cannot be kept, the update still succeeds: the new program is in place and works.
    """
    try:
        swap.remove(program.previous + layout.SIGNATURE)
        try:
            os.replace(work.old, program.previous)
        except PermissionError:  # Windows: it is still running, but can be renamed
            if not os.path.isfile(program.previous):
                raise
            os.replace(program.previous, work.left_over())
            os.replace(work.old, program.previous)
    except OSError as error:
        warn(
            f"the previous version could not be kept as {program.previous}: {error.strerror};"
            f" {_NO_WAY_BACK}"
        )
        with suppress(OSError):  # the next update removes it
            os.replace(work.old, work.left_over())
    else:
        sign_previous(program, work, warn)
    with suppress(OSError):  # the swap is done; only a power failure could still undo it
        sync_path(program.folder)


def sign_previous(program: Installation, work: Workspace, warn: Warn) -> None:
    """Put the previous program's signature next to it: a rollback without network needs it."""
    beside = program.previous + layout.SIGNATURE
    for source in (work.fetched_signature, work.old_signature):
        if os.path.exists(source):
            try:
                os.replace(source, beside)
            except OSError as error:
                warn(f"{beside} could not be written: {error.strerror}; {_NO_WAY_BACK}")
            return
    warn(f"there is no signature of the previous version; {_NO_WAY_BACK}")


def digest(path: str) -> str:
    """Return the SHA-256 of a file.

    Raises:
        OSError: It cannot be read.
    """
    with plain_files.open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def signature_beside(program: str) -> bytes | None:
    """Return the signature in the file next to a program, or None if there is none.

    Others may be able to write there: a link, a named pipe or a huge file is not a signature.

    Raises:
        OSError: It cannot be read.
    """
    path = program + layout.SIGNATURE
    try:
        return plain_files.read(path, limits.SIGNATURE_BYTES, follow_link=False)
    except (FileNotFoundError, plain_files.NotPlainError):
        return None
    except OSError as error:
        if error.errno in _NO_SIGNATURE:
            return None
        raise


def _keep_signature(program: Installation, work: Workspace, trust: ReleaseTrust) -> None:
    """Copy the old program's signature into the workspace, if there is one that is valid."""
    signature = signature_beside(program.path)
    if signature is None:
        return
    try:
        with plain_files.open_file(program.path) as file:
            platform = program.machine.platform
            verify.check(file, program.path, signature, trust, platform=platform, sha256=None)
    except (Untrusted, TrustError):
        return  # it belongs to another version, or is something else
    write_signature(work.old_signature, signature)


def write_signature(path: str, signature: bytes) -> None:
    """Write a signature file that all users may read.

    Raises:
        HostError: It cannot be written.
        OSError: The same, for another reason of the system.
    """
    replace_file(path, [signature])
    os.chmod(path, _PUBLIC)
    sync_path(path)


def _cannot_replace(program: Installation, error: OSError | HostError) -> CannotWrite:
    if isinstance(error, HostError):
        reason, hint = error.message, error.hint
    else:
        where = f"{error.filename}: " if error.filename not in (None, program.path) else ""
        reason, hint = f"{where}{error.strerror or error}", None
    return CannotWrite(
        f"{program.path} cannot be replaced: {reason}; nothing was changed",
        hint=hint or "check the permissions and the free space of its folder",
    )
