"""prove-update: let a program of an older version update itself from the regions.

Each target's program does so in the canary region, on its own platform or an emulation of it; the
program for this machine does so in every region. Each then rolls back.
"""

import functools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from awstoe_build.__main__ import cache_folder
from awstoe_build.toolchain.layers import Cache
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_build.toolchain.windows import wine
from awstoe_release import commands, runners, state, verification
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure, Skip
from awstoe_release.plan import program_key
from awstoe_release.release import Release, StepResult
from awstoe_release.state import State

_SECONDS: Final = 180


class Platform(NamedTuple):
    """How to run a target's programs on this machine."""

    starter: Sequence[str] = ()
    """The words before the program's name on the command line."""
    environment: Mapping[str, str] = {}
    """Variables to add to our environment."""


class Proof(NamedTuple):
    """An update that worked, and its rollback."""

    before: str
    """The version before the update."""
    after: str
    """The version after the update."""
    back: str
    """The version after ``self-update --rollback``."""


class Proofs(NamedTuple):
    """The step's result."""

    regions: Mapping[str, Mapping[str, Proof]]
    """The updates that worked, by region and target."""
    left_out: Mapping[str, str]
    """The targets that were not tried, with the reasons."""
    not_updated: Mapping[str, Mapping[str, str]]
    """The failures, by target and region."""

    def as_json(self) -> dict[str, object]:
        """Return the result as it is in the JSON files."""
        return {
            "regions": {
                region: {target: proof._asdict() for target, proof in proofs.items()}
                for region, proofs in self.regions.items()
            },
            "leftOut": self.left_out,
            "notUpdated": self.not_updated,
        }

    @classmethod
    def of(cls, state: State) -> "Proofs":
        """Return the step's result from a release's state; empty if the step did not run."""
        facts = state.facts("prove-update")
        regions: Mapping[str, Mapping[str, Any]] = facts.get("regions", {})
        return cls(
            {
                region: {target: Proof(**proof) for target, proof in proofs.items()}
                for region, proofs in regions.items()
            },
            facts.get("leftOut", {}),
            facts.get("notUpdated", {}),
        )


def run(release: Release) -> StepResult:
    """Let older programs update themselves.

    Raises:
        ReleaseFailure: No region was promoted.
        Skip: No older program is given, the channel has no updates, or this is a dry run.
    """
    if release.dry_run:
        raise Skip("dry run: would let an older program update itself")
    if not release.channel.updates:
        raise Skip(f"programs do not update themselves to the channel {release.channel_name}")
    if not release.older:
        raise Skip("no program of an older version is given (--older DIR)")
    regions = release.regions_after("promote")
    canary = regions[0]
    for wave in reversed(release.configuration.waves):
        canary = next((r for r in regions if r in release.configuration.wave_regions(wave)), canary)
    proofs: dict[str, dict[str, Proof]] = {region.name: {} for region in regions}
    failures: dict[str, RegionFailure] = {}
    left_out: dict[str, str] = {}
    not_updated: dict[str, dict[str, str]] = {}
    for target in release.targets:
        older = os.path.join(
            release.older, *target.split("/"), os.path.basename(release.program(target))
        )
        reason = runners.lacking(target) if os.path.exists(older) else "no older program"
        if reason:
            left_out[target] = reason
            release.log(f"  {target}: {reason}")
            continue
        places = regions if target == runners.own_target() else (canary,)
        with (
            tempfile.TemporaryDirectory(dir=release.folder, prefix="proof-") as folder,
            _platform(target, folder, release) as machine,
        ):
            # Copy all before the first starts: a file that is open for writing while another thread
            # starts a program cannot be started.
            for place in places:
                os.mkdir(os.path.join(folder, place.name))
                shutil.copy(older, os.path.join(folder, place.name))
            update = functools.partial(_update, release, target, folder, machine)
            found, failed = in_all_regions(places, update, at_once=verification.REGIONS_AT_ONCE)
        for name, proof in found.items():
            proofs[name][target] = proof
        failures |= failed
        if failed:
            not_updated[target] = {name: failure.message for name, failure in failed.items()}
        done = f"{len(found)} of {len(places)} regions"
        release.log(f"  {target}: updated itself and rolled back in {done}")
    return StepResult(Proofs(proofs, left_out, not_updated).as_json(), failures=failures)


@contextmanager
def _platform(target: str, folder: str, release: Release) -> Iterator[Platform]:
    """Prepare this machine to run a target's programs while the block runs.

    Raises:
        BuildFailure: Wine does not start.
    """
    if target != runners.WINDOWS.name:
        yield Platform(runners.emulator(target))
        return
    runtime = Cache(cache_folder(), release.log).obtain(windows_runtime.recipe(runners.WINDOWS))
    lacking = windows_runtime.wine_libraries(runtime)
    libraries = [os.path.join(lacking, name) for name in sorted(os.listdir(lacking))]
    with wine.machine(os.path.join(folder, "windows"), libraries) as environment:
        yield Platform(("wine",), environment)


def _update(release: Release, target: str, folder: str, machine: Platform, region: Region) -> Proof:
    """Let a copy of an older program update itself and roll back, and compare every byte."""
    home = os.path.join(folder, region.name)
    program = os.path.join(home, os.path.basename(program_key(release.version, target)))
    # The update's memory must not be that of the user who runs the release.
    memory = {"HOME": home, "XDG_STATE_HOME": os.path.join(home, "state")}
    environment = {**os.environ, **machine.environment, **memory}
    command = [*machine.starter, program]
    old, new = state.sha256_of(program), state.sha256_of(release.program(target))

    def replaced(options: Sequence[str], expected: str) -> str:
        # As root, all programs share one state folder, which one update at a time can use.
        update = [*command, "self-update", *options, "--json", "--wait"]
        commands.run(update, environment=environment, seconds=_SECONDS)
        version = _version(command, environment)
        if state.sha256_of(program) != expected:
            raise ReleaseFailure(
                f"self-update {' '.join(options)} installed another program, version {version}"
            )
        return version

    try:
        before = _version(command, environment)
        after = replaced(["--url", region.folder_address], new)
        back = replaced(["--rollback"], old)
    except ReleaseFailure as failure:
        raise RegionFailure(region.name, f"{target}: {failure.message}") from failure
    return Proof(before, after, back)


def _version(command: Sequence[str], environment: dict[str, str]) -> str:
    found: dict[str, Any] = json.loads(
        commands.run([*command, "version", "--json"], environment=environment, seconds=_SECONDS)
    )
    return str(found.get("version", ""))
