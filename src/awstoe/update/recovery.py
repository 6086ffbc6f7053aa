"""Recovers from an interrupted update. The files that are there show what has happened.

====================  =====================================================================
files found           what had happened, and what is done
====================  =====================================================================
no old program        nothing was swapped, or all was done: leftovers are removed
old, and no program   Windows, between the two renames: the old one gets its name back
old is the program    the swap was prepared, not done: the second name is removed
old and another       swapped, not confirmed: confirmed now, or else the old one is put back
====================  =====================================================================
"""

import os
from collections.abc import Callable
from enum import StrEnum

from awstoe.errors import AwstoeError
from awstoe.update import install, install_record, layout
from awstoe.update.errors import Busy, CannotWrite
from awstoe.update.installation import Installation
from awstoe.update.workspace import Workspace


class RecoveryAction(StrEnum):
    """What was done about an interrupted update."""

    NOTHING = "nothing"
    """No update had been interrupted in the swap."""
    UNDONE = "undone"
    """The old program was put back."""
    FINISHED = "finished"
    """The new program works, and stays."""


def is_needed(program: Installation, work: Workspace) -> bool:
    """Whether an update was interrupted in the swap.

    Raises:
        CannotWrite: Its files cannot be read.
    """
    try:
        return os.path.exists(work.old) and not (
            os.path.exists(program.path) and _is_same(work.old, program.path)
        )
    except OSError as error:
        raise _cannot_recover(program, work, error) from error


def recover(
    program: Installation, work: Workspace, *, keep: Callable[[str], bool], warn: install.Warn
) -> RecoveryAction:
    """Finish or undo an interrupted update, and clean the workspace.

    Args:
        program: The program whose update was interrupted.
        work: Its workspace, locked.
        keep: Whether to keep a file of the workspace, given its name.
        warn: Called with what cannot be fixed and does no harm.

    Raises:
        Busy: The old program was put back: it is not the one that is running now.
        CannotWrite: The system rejected an operation.
    """
    try:
        action = _recover(program, work, warn)
        work.clean(keep)
    except OSError as error:
        raise _cannot_recover(program, work, error) from error
    if action is RecoveryAction.UNDONE:
        raise Busy(
            f"an earlier update was interrupted; its new version does not work here, so"
            f" {program.path} is the previous version again",
            hint="run the command again",
        )
    return action


def _cannot_recover(program: Installation, work: Workspace, error: OSError) -> CannotWrite:
    return CannotWrite(
        f"cannot finish or undo an interrupted update of {program.path}: {error.strerror}",
        hint=f"the program from before that update may be {work.old}",
    )


def _recover(program: Installation, work: Workspace, warn: install.Warn) -> RecoveryAction:
    if not os.path.exists(work.old):
        _finish_signature(program, work, warn)
        return RecoveryAction.NOTHING
    if not os.path.exists(program.path):
        install.roll_back(program, work)
        return RecoveryAction.UNDONE
    if _is_same(work.old, program.path):
        return RecoveryAction.NOTHING
    record = install_record.read(work.record)
    try:
        if record is None:
            raise CannotWrite("there is no record of what was to be installed")
        install.verify_in_place(program.path, record)
        if os.path.exists(work.new_signature):
            os.replace(work.new_signature, program.path + layout.SIGNATURE)
    except (AwstoeError, OSError):
        install.roll_back(program, work)
        return RecoveryAction.UNDONE
    install.commit(program, work, warn)
    return RecoveryAction.FINISHED


def _finish_signature(program: Installation, work: Workspace, warn: install.Warn) -> None:
    """Put the previous program's signature in place: the last step that may be missing."""
    beside = program.previous + layout.SIGNATURE
    done = not os.path.exists(work.new_signature) and os.path.exists(work.record)
    if done and os.path.exists(program.previous) and not os.path.exists(beside):
        install.sign_previous(program, work, warn)


def _is_same(first: str, second: str) -> bool:
    return os.path.samefile(first, second) or install.digest(first) == install.digest(second)
