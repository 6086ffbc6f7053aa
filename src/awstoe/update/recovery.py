"""Puts in order what an interrupted update has left: told by the files that are there.

====================  =====================================================================
what is there         what had happened, and what is done
====================  =====================================================================
no old program        nothing was swapped, or all was done: left-overs are removed
old, and no program   Windows, between the two renames: the old one gets its name back
old is the program    the swap was prepared, not done: the second name is removed
old and another       swapped, unproven: proven now and kept, or else the old one is put back
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


class Found(StrEnum):
    """What was done about an earlier update."""

    NOTHING = "nothing"
    """There was none that had been interrupted in the swap."""
    UNDONE = "undone"
    """The old program has its place back."""
    FINISHED = "finished"
    """The new program works, and stays."""


def is_needed(program: Installation, work: Workspace) -> bool:
    """Whether an update was interrupted in the swap.

    Raises:
        CannotWrite: What it has left cannot be read.
    """
    try:
        return os.path.exists(work.old) and not (
            os.path.exists(program.path) and _is_same(work.old, program.path)
        )
    except OSError as error:
        raise _disorder(program, work, error) from error


def recover(
    program: Installation, work: Workspace, *, keep: Callable[[str], bool], warn: install.Warn
) -> Found:
    """Bring program and workspace into order.

    Args:
        program: Whose update was interrupted.
        work: Its workspace, locked.
        keep: Whether a file of the workspace, given by its name, is to stay.
        warn: Told what cannot be brought into order, and does no harm.

    Raises:
        Busy: The old program was put back: it is not the one that is running now.
        CannotWrite: The system refused.
    """
    try:
        found = _recover(program, work, warn)
        work.clean(keep)
    except OSError as error:
        raise _disorder(program, work, error) from error
    if found is Found.UNDONE:
        raise Busy(
            f"an earlier update was interrupted; its new version does not work here, so"
            f" {program.path} is the version from before again",
            hint="run the command again",
        )
    return found


def _disorder(program: Installation, work: Workspace, error: OSError) -> CannotWrite:
    return CannotWrite(
        f"an interrupted update of {program.path} cannot be put in order: {error.strerror}",
        hint=f"the program from before it may be {work.old}",
    )


def _recover(program: Installation, work: Workspace, warn: install.Warn) -> Found:
    if not os.path.exists(work.old):
        _finish_signature(program, work, warn)
        return Found.NOTHING
    if not os.path.exists(program.path):
        install.roll_back(program, work)
        return Found.UNDONE
    if _is_same(work.old, program.path):
        return Found.NOTHING
    note = install_record.read(work.journal)
    try:
        if note is None:
            raise CannotWrite("there is no note of what was to be installed")
        install.verify_in_place(program.path, note)
        if os.path.exists(work.new_signature):
            os.replace(work.new_signature, program.path + layout.SIGNATURE)
    except (AwstoeError, OSError):
        install.roll_back(program, work)
        return Found.UNDONE
    install.commit(program, work, warn)
    return Found.FINISHED


def _finish_signature(program: Installation, work: Workspace, warn: install.Warn) -> None:
    """The last thing of an update that may be missing: the previous program's signature."""
    beside = program.previous + layout.SIGNATURE
    done = not os.path.exists(work.new_signature) and os.path.exists(work.journal)
    if done and os.path.exists(program.previous) and not os.path.exists(beside):
        install.sign_previous(program, work, warn)


def _is_same(first: str, second: str) -> bool:
    return os.path.samefile(first, second) or install.digest(first) == install.digest(second)
