"""The program that is to be replaced, and what may stand in the way of that."""

import os
import time
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host.executable import swap
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update.decide import TargetMachine
from awstoe.update.errors import Busy, CannotWrite, Refused
from awstoe.update.releases import Version

_OWNER_SECONDS: Final = 20.0
"""For a package manager to say whose file a path is: rpm looks into a large database."""


class Origin(StrEnum):
    """How this copy came to this machine."""

    SINGLE_FILE = "single file"
    PACKAGE = "Python package"


class Installation(NamedTuple):
    """The program that asks to be replaced."""

    path: str
    """Its file, links followed."""
    named: str
    """The path by which it was started; a link may have led to the file."""
    version: Version
    machine: TargetMachine
    origin: Origin
    trust: ReleaseTrust | None
    """The release keys built in; None in a development build."""
    running: os.stat_result | None
    """The file that this process was started from; None where the system does not tell."""
    memory: str | None
    """The folder in which this user's updates remember what they have seen; None: there is none."""
    waiting_runs: tuple[str, ...] = ()
    """Runs that go on with this program after a reboot of the machine, by their ids."""

    @property
    def folder(self) -> str:
        """The folder it lies in."""
        return os.path.dirname(self.path)

    @property
    def previous(self) -> str:
        """Where the file is kept that the last update replaced."""
        return swap.suffixed(self.path, "previous")


def trusted(program: Installation) -> ReleaseTrust:
    """What the program trusts.

    Raises:
        Refused: It is no release, and cannot update itself.
    """
    if program.origin is Origin.PACKAGE:
        raise Refused(
            "this copy of awstoe is a Python package, which does not update itself",
            hint="python -m pip install --upgrade awstoe, or update the source tree it runs from",
        )
    if program.trust is None:
        raise Refused(
            "this is a development build: it has no release keys, so it can trust no update",
            hint="install a released file (README.md), or build with keys: make build TRUST=DIR",
        )
    return program.trust


def check_replaceable(program: Installation) -> tuple[str, ...]:
    """Look before any request whether the file may be replaced; gives warnings.

    Raises:
        Refused: It is not for us to replace.
        CannotWrite: We have no right to.
        Busy: Another file has its name by now.
    """
    try:
        privileges = swap.inspect(program.path)
    except OSError as error:
        raise CannotWrite(f"{program.path} cannot be looked at: {error.strerror}") from error
    check_unchanged(program)
    if program.waiting_runs:
        raise Busy(
            f"a run waits for a reboot of this machine, to go on with this version of awstoe:"
            f" {', '.join(program.waiting_runs)}",
            hint="reboot, and update when the run has ended",
        )
    if privileges.changes_user:
        raise Refused(
            f"{program.path} is setuid or setgid: an update would hand these rights to new code",
            hint=f"remove them (chmod ug-s {program.path}) and run awstoe through sudo instead",
        )
    if privileges.foreign_owner is not None:
        raise CannotWrite(
            f"{program.path} belongs to another user (number {privileges.foreign_owner})",
            hint=f"run the update as that user or as root: sudo {program.path} self-update",
        )
    if not os.access(program.folder, os.W_OK | os.X_OK):
        raise CannotWrite(
            f"the folder {program.folder} cannot be written, so {program.path} cannot be replaced",
            hint=f"run the update as a user who may: sudo {program.path} self-update",
        )
    _check_owner(program)
    if privileges.has_capabilities:
        return (
            f"{program.path} has file capabilities, which the new file will not have:"
            f" give them again with setcap",
        )
    return ()


def check_unchanged(program: Installation) -> None:
    """Make sure that the file is still the one that this process was started from.

    Raises:
        Busy: Another one has its name.
    """
    if program.running is None:
        return
    try:
        same = os.path.samestat(os.stat(program.path), program.running)
    except OSError:
        same = False
    if not same:
        raise Busy(
            f"{program.path} was replaced while this process was running",
            hint="run the command again",
        )


def _check_owner(program: Installation) -> None:
    """Refuse a file that a package manager has put there and will put there again.

    Raises:
        Refused: It is such a file.
    """
    for command, update in swap.owners:
        said = bytearray()
        try:
            end = children.run(
                (*command, program.path),
                environment={**child_environment(), "LC_ALL": "C"},
                on_stdout=said.extend,
                on_stderr=lambda _: None,
                deadline=time.monotonic() + _OWNER_SECONDS,
                interruption=Interruption(),
            )
        except (HostError, TimeoutExceeded):
            continue  # no such package manager here
        if end.exit_code == 0:
            raise Refused(
                f"{program.path} was installed by a package manager"
                f" ({command[0]}: {said.decode(errors='replace').strip()})",
                hint=f"update it with that: {update}",
            )
