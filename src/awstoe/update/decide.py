"""Which release this machine is to have: a function of data, without any input or output."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from awstoe.update.errors import NotAvailable
from awstoe.update.releases import Release, Version


class Kind(StrEnum):
    """What is to be done."""

    CURRENT = "current"
    """Nothing: the version wanted is installed."""
    UPDATE = "update"
    DOWNGRADE = "downgrade"


class Decision(NamedTuple):
    """What is to be done, and with which release."""

    kind: Kind
    release: Release | None
    """None if nothing is to be done and the metadata does not know the installed version."""


class TargetMachine(NamedTuple):
    """For whom a release has to be."""

    platform: str
    architecture: str
    glibc: tuple[int, int] | None
    """The version of the C library here; None where there is none that is known."""

    @property
    def target(self) -> str:
        """As download paths name it."""
        return f"{self.platform}/{self.architecture}"


def decide(
    installed: Version,
    machine: TargetMachine,
    offered: Sequence[Release],
    *,
    wanted: Version | None = None,
    downgrade: bool = False,
) -> Decision:
    """Choose a release.

    Args:
        installed: The version of the program that is to be replaced.
        machine: What it runs on.
        offered: All releases that the metadata lists, for all platforms.
        wanted: A certain version; None: the highest that may be installed. Prereleases are
            chosen only when they are named or one is installed.
        downgrade: Whether a lower version than the installed one is allowed.

    Raises:
        NotAvailable: There is no release that may be installed here.
    """
    here = [
        each
        for each in offered
        if (each.platform, each.architecture) == (machine.platform, machine.architecture)
    ]
    if not here:
        raise NotAvailable(
            f"there is no release for {machine.target}",
            hint="the metadata lists releases for other platforms only" if offered else None,
        )
    if wanted is not None:
        return _named(installed, machine, here, wanted, downgrade=downgrade)
    fit = [
        each
        for each in here
        if not each.withdrawn
        and _runs(each, machine)
        and (each.version.prerelease is None or installed.prerelease is not None)
    ]
    best = max(fit, key=lambda each: each.version, default=None)
    if best is None or best.version <= installed:
        return Decision(Kind.CURRENT, _installed(here, installed))
    return Decision(Kind.UPDATE, best)


def _named(
    installed: Version,
    machine: TargetMachine,
    here: Sequence[Release],
    wanted: Version,
    *,
    downgrade: bool,
) -> Decision:
    found = next((each for each in here if each.version == wanted), None)
    if found is None:
        known = ", ".join(str(version) for version in sorted(each.version for each in here)[-10:])
        raise NotAvailable(
            f"there is no version {wanted} for {machine.target}", hint=f"there are: {known}"
        )
    if wanted == installed:
        return Decision(Kind.CURRENT, found)
    if wanted < installed and not downgrade:
        raise NotAvailable(
            f"version {wanted} is lower than the installed {installed}; nothing was changed",
            hint=f"if that is meant: awstoe self-update --rollback --version {wanted}",
        )
    if found.withdrawn:
        raise NotAvailable(
            f"version {wanted} was withdrawn: {found.withdrawn}", hint="choose another version"
        )
    if not _runs(found, machine):
        raise NotAvailable(
            _needs(found, machine), hint="choose an older version, or a newer system"
        )
    return Decision(Kind.UPDATE if wanted > installed else Kind.DOWNGRADE, found)


def _installed(here: Sequence[Release], installed: Version) -> Release | None:
    return next((each for each in here if each.version == installed), None)


def _runs(release: Release, machine: TargetMachine) -> bool:
    return release.glibc is None or machine.glibc is None or release.glibc <= machine.glibc


def _needs(release: Release, machine: TargetMachine) -> str:
    needed, here = (".".join(map(str, each or ())) for each in (release.glibc, machine.glibc))
    return f"version {release.version} needs glibc {needed} or later, this machine has {here}"
