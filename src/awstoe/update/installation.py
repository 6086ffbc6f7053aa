"""The program that is to be replaced, and what may prevent that."""

import os
import platform
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe import __version__
from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host import platforms
from awstoe.host.executable import frozen, lock, swap
from awstoe.host.process import children
from awstoe.host.process.environment import child_environment
from awstoe.host.process.interruption import Interruption
from awstoe.trust import release_trust
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update.decide import TargetMachine
from awstoe.update.errors import Busy, CannotWrite, Refused
from awstoe.update.local_metadata import folder_for
from awstoe.update.releases import Version, glibc_version

_OWNER_SECONDS: Final = 20.0
"""For a package manager to say which package owns a path: rpm searches a large database."""


class Origin(StrEnum):
    """How this copy came to this machine."""

    SINGLE_FILE = "single-file executable"
    PACKAGE = "Python package"


class Installation(NamedTuple):
    """The program that is to be replaced, as it describes itself."""

    path: str
    """Its file, with links resolved."""
    named: str
    """The path it was started with; it may be a link to the file."""
    version: Version
    machine: TargetMachine
    origin: Origin
    trust: ReleaseTrust | None
    """The built-in release keys; None in a development build."""
    running: os.stat_result | None
    """The file that this process was started from; None where the system does not report it."""
    metadata_folder: str | None
    """The folder in which this user's updates keep trust metadata; None if there is none."""
    waiting_runs: tuple[str, ...] = ()
    """Execution IDs of the runs that resume with this program after a reboot of the machine."""

    @property
    def folder(self) -> str:
        """The folder that contains the program."""
        return os.path.dirname(self.path)

    @property
    def previous(self) -> str:
        """Path of the file that the last update replaced."""
        return swap.suffixed(self.path, "previous")


def this_installation(waiting_runs: Sequence[str] = ()) -> Installation:
    """Describe the program that is running.

    Args:
        waiting_runs: Execution IDs of the runs that resume with it after a reboot.

    Raises:
        TrustError: Its release keys cannot be read.
    """
    trust = release_trust.read()
    return Installation(
        path=frozen.executable(),
        named=sys.executable,
        version=Version(__version__),
        machine=_this_machine(),
        origin=Origin.SINGLE_FILE if frozen.is_frozen() else Origin.PACKAGE,
        trust=trust,
        running=_running_file(),
        metadata_folder=_metadata_folder(trust),
        waiting_runs=tuple(waiting_runs),
    )


def _this_machine() -> TargetMachine:
    bits = 64 if sys.maxsize > 2**32 else 32
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") if hasattr(os, "confstr") else None
    except (OSError, ValueError):
        libc = None
    return TargetMachine(
        platforms.current().value,
        platforms.architecture(platform.machine(), pointer_bits=bits),
        glibc_version(libc or ""),
    )


def _metadata_folder(trust: ReleaseTrust | None) -> str | None:
    try:
        return folder_for(trust.url) if trust else None
    except HostError:
        return None


def _running_file() -> os.stat_result | None:
    """Identify the file that this process runs. Under an emulator, only opening it leads there."""
    try:
        descriptor = os.open(lock.own_executable(), os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def trusted(program: Installation) -> ReleaseTrust:
    """Return the release keys that the program trusts.

    Raises:
        Refused: It is not a release, and cannot update itself.
    """
    if program.origin is Origin.PACKAGE:
        from awstoe.update import package_origin  # noqa: PLC0415 - no executable needs it

        raise Refused(
            "this copy of awstoe is a Python package, which does not update itself",
            hint=package_origin.update_hint(package_origin.this_package()),
        )
    if program.trust is None:
        raise Refused(
            "this is a development build: it has no release keys, so it cannot verify an update",
            hint="install a released file (README.md), or build with keys: make build TRUST=DIR",
        )
    return program.trust


def check_replaceable(program: Installation) -> tuple[str, ...]:
    """Check before any request whether the file may be replaced, and return warnings.

    Raises:
        Refused: awstoe must not replace it.
        CannotWrite: This user has no permission to.
        Busy: Another file has its name by now, or a run waits for a reboot.
    """
    try:
        privileges = swap.inspect(program.path)
    except OSError as error:
        raise CannotWrite(f"{program.path} cannot be inspected: {error.strerror}") from error
    check_unchanged(program)
    if program.waiting_runs:
        raise Busy(
            f"a run is waiting for a reboot of this machine, to resume with this version of awstoe:"
            f" {', '.join(program.waiting_runs)}",
            hint="reboot, and update after the run has finished",
        )
    if privileges.changes_user:
        raise Refused(
            f"{program.path} is setuid or setgid: an update would give these rights to new code",
            hint=f"remove them (chmod ug-s {program.path}) and run awstoe with sudo instead",
        )
    if privileges.foreign_owner is not None:
        raise CannotWrite(
            f"{program.path} belongs to another user (user ID {privileges.foreign_owner})",
            hint=f"run the update as that user or as root: sudo {program.path} self-update",
        )
    if not os.access(program.folder, os.W_OK | os.X_OK):
        raise CannotWrite(
            f"the folder {program.folder} cannot be written, so {program.path} cannot be replaced",
            hint=f"run the update as a user with permission: sudo {program.path} self-update",
        )
    _check_owner(program)
    if privileges.has_capabilities:
        return (
            f"{program.path} has file capabilities, which the new file will not have:"
            f" set them again with setcap",
        )
    return ()


def check_unchanged(program: Installation) -> None:
    """Check that the file is still the one that this process was started from.

    Raises:
        Busy: Another file has its name.
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
    """Reject a file that a package manager has installed and will install again.

    Raises:
        Refused: It is such a file.
    """
    for command, update in swap.owners:
        output = bytearray()
        try:
            end = children.run(
                (*command, program.path),
                environment={**child_environment(), "LC_ALL": "C"},
                on_stdout=output.extend,
                on_stderr=lambda _: None,
                deadline=time.monotonic() + _OWNER_SECONDS,
                interruption=Interruption(),
            )
        except (HostError, TimeoutExceeded):
            continue  # this package manager is not installed
        if end.exit_code == 0:
            raise Refused(
                f"{program.path} was installed by a package manager"
                f" ({command[0]}: {output.decode(errors='replace').strip()})",
                hint=f"update it with that package manager: {update}",
            )
