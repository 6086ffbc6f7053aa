"""Puts a checked program in the place of the running one; a kill at any point harms nothing.

On Linux the name never disappears: the old file gets a second name, and a rename gives its own to
the new one. On Windows the running file is moved aside first. Until the new program has told its
version from its place, the old one is kept to be put back (``recovery`` does that after a kill).
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from awstoe import limits
from awstoe.errors import HostError
from awstoe.host.executable import swap
from awstoe.host.files import renaming
from awstoe.host.files.own_files import replace_file, sync_path
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update import install_record, layout, smoke_test, verify
from awstoe.update.errors import CannotWrite, DoesNotStart, RolledBack, Untrusted
from awstoe.update.install_record import InstallRecord, InstallStep, Listener
from awstoe.update.installation import Installation, check_unchanged
from awstoe.update.workspace import Workspace

Lock = Callable[[str], int]
"""Locks a program file against all who run or replace it; gives the descriptor to keep."""
Warn = Callable[[str], None]
"""Told what the user should know, though the update succeeds."""

_EXECUTABLE: Final = 0o700
_PUBLIC: Final = 0o644
_LOOK: Final = "nothing was changed; look what happened in that folder"
_NO_WAY_BACK: Final = "--rollback needs the network and a --version now"


class Candidate:
    """A program that is to be installed, and the file that was checked.

    Args:
        staged: Its path in the workspace.
        note: What it has to be.
        signature: Its detached signature.
    """

    def __init__(self, staged: str, note: InstallRecord, signature: bytes) -> None:
        self.staged = staged
        self.note = note
        self.signature = signature
        self._identity: tuple[int, int, int, int] | None = None

    def verify(self, trust: ReleaseTrust) -> None:
        """Check the closed file, and keep in mind which file that was.

        Raises:
            Untrusted: It is not what was signed.
            OSError: It cannot be read.
        """
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(self.staged, flags), "rb") as file:
            before = verify.identity(os.fstat(file.fileno()), self.staged)
            verify.check(file, self.staged, self.signature, trust, sha256=self.note.sha256)
            if verify.identity(os.fstat(file.fileno()), self.staged) != before:
                raise Untrusted(f"{self.staged} was changed while it was checked: {_LOOK}")
        self._identity = before

    def check_same(self, path: str) -> None:
        """Make sure that ``path`` is the file that was checked.

        Raises:
            Untrusted: It is another.
        """
        try:
            now = verify.identity(os.lstat(path), path)
        except OSError as error:
            raise Untrusted(f"{path} is gone after it was checked: {_LOOK}") from error
        if now != self._identity:
            raise Untrusted(f"{path} was replaced after it was checked: {_LOOK}")


def install(
    program: Installation,
    work: Workspace,
    candidate: Candidate,
    trust: ReleaseTrust,
    lock: Lock,
    announce: Listener,
    warn: Warn,
) -> None:
    """Check ``candidate`` and put it in the place of ``program``.

    Raises:
        Untrusted: It is not what was signed.
        DoesNotStart: It does not start here.
        Busy: A run is going on, or the program was replaced meanwhile.
        CannotWrite: The system refused; nothing was changed.
        RolledBack: It failed in its place; the old program is back.
    """
    try:
        candidate.verify(trust)
        os.chmod(candidate.staged, _EXECUTABLE)
        renaming.replace(candidate.staged, work.new)
        candidate.check_same(work.new)
        announce(InstallStep.VERIFIED)
        smoke_test.check(work.new, candidate.note.version)
        announce(InstallStep.STARTED)
        candidate.check_same(work.new)
        swap.preserve_attributes(program.path, work.new)
        announce(InstallStep.ATTRIBUTES_COPIED)
        write_signature(work.new_signature, candidate.signature)
        install_record.write(work.journal, candidate.note)
    except (OSError, HostError) as error:
        raise _refused(program, error) from error
    locks = [lock(program.path)]
    try:
        # Whoever starts the new file from its place waits until it is proven.
        locks.append(lock(work.new))
        check_unchanged(program)
        announce(InstallStep.RECORDED)
        _swap(program, work, candidate, announce)
        commit(program, work, warn)
        announce(InstallStep.COMMITTED)
    finally:
        for each in locks:
            os.close(each)


def _swap(program: Installation, work: Workspace, candidate: Candidate, announce: Listener) -> None:
    """From here on everything that is needed is loaded, and nothing may interrupt.

    Raises:
        Untrusted: The file is not the one that was checked; nothing was changed.
        CannotWrite: The system refused; nothing was changed.
        RolledBack: The new program failed in its place, or none could be put there.
    """
    beside = program.path + layout.SIGNATURE
    try:
        _keep_signature(beside, work)
        swap.keep(program.path, work.old)
        announce(InstallStep.BACKED_UP)
        candidate.check_same(work.new)
        swap.replace(program.path, work.new, work.old)
    except BaseException as error:
        _forget_old(program, work, error)
        if isinstance(error, OSError | HostError):
            raise _refused(program, error) from error
        raise
    try:
        announce(InstallStep.SWAPPED)
        candidate.check_same(program.path)
        renaming.replace(work.new_signature, beside)
        announce(InstallStep.SIGNED)
        verify_in_place(program.path, candidate.note)
        announce(InstallStep.HEALTHY)
    except (OSError, HostError, Untrusted, DoesNotStart) as error:
        roll_back(program, work)
        raise RolledBack(
            f"the new version failed in its place, and {program.version} is back: {error}"
        ) from error


def _forget_old(program: Installation, work: Workspace, error: BaseException) -> None:
    """Take the second name from the old program, which still has its own: nothing was swapped.

    Raises:
        RolledBack: It has no other name: on Windows it could be moved aside, but not back.
    """
    if not os.path.exists(program.path):
        raise RolledBack(
            f"{program.path} was moved aside and cannot be moved back ({error}): it is {work.old}",
            hint=f"move it to {program.path}",
        ) from error
    with suppress(OSError):  # two names of one program: the next update removes this one
        swap.remove(work.old)


def verify_in_place(path: str, note: InstallRecord) -> None:
    """Make sure that the program in its place is the one that was meant, and starts.

    Raises:
        Untrusted: It is another.
        DoesNotStart: It does not start.
        OSError: It cannot be read.
    """
    if digest(path) != note.sha256:
        raise Untrusted(f"{path} is not the file that was put there")
    smoke_test.check(path, note.version)


def roll_back(program: Installation, work: Workspace) -> None:
    """Give the old program its name back, and its signature.

    Raises:
        RolledBack: It could not be; the message says where it is.
    """
    beside = program.path + layout.SIGNATURE
    try:
        swap.replace(program.path, work.old, work.new)
    except OSError as error:
        raise RolledBack(
            f"the new version failed in its place, and the old one cannot be put back"
            f" ({error.strerror}): it is {work.old}",
            hint=f"move it to {program.path}",
        ) from error
    with suppress(OSError):  # a program without its signature works; verify-signature tells
        if os.path.exists(work.old_signature):
            renaming.replace(work.old_signature, beside)
        elif not os.path.exists(work.new_signature):
            swap.remove(beside)


def commit(program: Installation, work: Workspace, warn: Warn) -> None:
    """The old program becomes the previous one.

    That it cannot be kept is no failure of the update: the new one is in place and works.
    """
    try:
        swap.remove(program.previous + layout.SIGNATURE)
        try:
            os.replace(work.old, program.previous)
        except PermissionError:  # Windows: it runs still, but may be renamed
            if not os.path.isfile(program.previous):
                raise
            os.replace(program.previous, work.left_over())
            os.replace(work.old, program.previous)
    except OSError as error:
        warn(
            f"the version from before could not be kept as {program.previous}: {error.strerror};"
            f" {_NO_WAY_BACK}"
        )
        with suppress(OSError):  # the next update removes it
            os.replace(work.old, work.left_over())
    else:
        sign_previous(program, work, warn)
    with suppress(OSError):  # it has happened; only a power failure could still undo it
        sync_path(program.folder)


def sign_previous(program: Installation, work: Workspace, warn: Warn) -> None:
    """Put the previous program's signature beside it; without one, nobody goes back to it."""
    beside = program.previous + layout.SIGNATURE
    for source in (work.fetched_signature, work.old_signature):
        if os.path.exists(source):
            try:
                os.replace(source, beside)
            except OSError as error:
                warn(f"{beside} could not be written: {error.strerror}; {_NO_WAY_BACK}")
            return
    warn(f"no signature of the version from before is to be had; {_NO_WAY_BACK}")


def digest(path: str) -> str:
    """The SHA-256 of a file.

    Raises:
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep_signature(beside: str, work: Workspace) -> None:
    """Keep the signature beside the old program, if there is one."""
    if os.path.isfile(beside):
        with open(beside, "rb") as file:
            write_signature(work.old_signature, file.read(limits.SIGNATURE_BYTES))


def write_signature(path: str, signature: bytes) -> None:
    """Write a signature file that everybody may read.

    Raises:
        HostError: It cannot be written.
        OSError: The disk refused.
    """
    replace_file(path, [signature])
    os.chmod(path, _PUBLIC)
    sync_path(path)


def _refused(program: Installation, error: OSError | HostError) -> CannotWrite:
    if isinstance(error, HostError):
        words, hint = error.message, error.hint
    else:
        where = f"{error.filename}: " if error.filename not in (None, program.path) else ""
        words, hint = f"{where}{error.strerror or error}", None
    return CannotWrite(
        f"{program.path} cannot be replaced: {words}; nothing was changed",
        hint=hint or "check permissions and free space of its folder",
    )
