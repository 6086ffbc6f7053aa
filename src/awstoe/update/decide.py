"""Decides which release to install: a pure function of data."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from awstoe.update.errors import NotAvailable
from awstoe.update.releases import Release, Version


class Kind(StrEnum):
    """What to do."""

    CURRENT = "current"
    """Nothing: the wanted version is installed."""
    UPDATE = "update"
    DOWNGRADE = "downgrade"


class Decision(NamedTuple):
    """What to do, and with which release."""

    kind: Kind
    release: Release | None
    """None if there is nothing to do and the metadata does not list the installed version."""


class TargetMachine(NamedTuple):
    """The machine that a release must run on."""

    platform: str
    architecture: str
    glibc: tuple[int, int] | None
    """The version of its GNU C library; None if it has none, or the version is not known."""

    @property
    def target(self) -> str:
        """The name of the target in download paths."""
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
        installed: The version of the program to replace.
        machine: The machine that it runs on.
        offered: All available releases that the metadata lists, for all platforms.
        wanted: A certain version; None for the highest that may be installed. A prerelease is
            chosen only if it is named, or if the installed version is a prerelease.
        downgrade: Whether a version lower than the installed one is allowed.

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
            hint=f"to install it anyway, run: awstoe self-update --rollback --version {wanted}",
        )
    if found.withdrawn:
        raise NotAvailable(
            f"version {wanted} was withdrawn: {found.withdrawn}", hint="choose another version"
        )
    if not _runs(found, machine):
        raise NotAvailable(
            _needs(found, machine), hint="choose an older version, or update the system"
        )
    return Decision(Kind.UPDATE if wanted > installed else Kind.DOWNGRADE, found)


def _installed(here: Sequence[Release], installed: Version) -> Release | None:
    return next((each for each in here if each.version == installed), None)


def _runs(release: Release, machine: TargetMachine) -> bool:
    return release.glibc is None or machine.glibc is None or release.glibc <= machine.glibc


def _needs(release: Release, machine: TargetMachine) -> str:
    needed, here = (".".join(map(str, each or ())) for each in (release.glibc, machine.glibc))
    return f"version {release.version} needs glibc {needed} or later; this machine has {here}"
