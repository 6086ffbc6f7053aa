"""prove-update: a program of an older version updates itself from the regions, for real.

Each target's program does it in the canary region, on its own platform or an emulation; this
machine's own program does it in every region. What has updated itself then goes back, too.
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
from awstoe_release import programs, runners, state, verification
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure, Skip
from awstoe_release.plan import program_key
from awstoe_release.release import Made, Release

_SECONDS: Final = 180


class Platform(NamedTuple):
    """What a target's programs run on here."""

    starter: Sequence[str] = ()
    """What is put before the program's own name."""
    environment: Mapping[str, str] = {}
    """What is in its environment besides ours."""


class Proof(NamedTuple):
    """An update that worked, and the way back."""

    before: str
    """The version before it."""
    after: str
    back: str
    """The version after ``self-update --rollback``."""


def run(release: Release) -> Made:
    """Let older programs update themselves.

    Raises:
        ReleaseFailure: No region was promoted.
        Skip: There is no older program, no channel for updates, or this is a dry run.
    """
    if release.dry_run:
        raise Skip("dry run: would let an older program update itself")
    if not release.channel.updates:
        raise Skip(f"programs do not update themselves to the channel {release.channel_name}")
    if not release.older:
        raise Skip("no program of an older version was named (--older DIR)")
    regions = release.regions_after("promote")
    canary = regions[0]
    for wave in reversed(release.configuration.waves):
        canary = next((r for r in regions if r in release.configuration.wave_regions(wave)), canary)
    proofs: dict[str, dict[str, object]] = {region.name: {} for region in regions}
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
            release.say(f"  {target}: {reason}")
            continue
        places = regions if target == runners.own_target() else (canary,)
        with (
            tempfile.TemporaryDirectory(dir=release.folder, prefix="proof-") as folder,
            _platform(target, folder, release) as machine,
        ):
            # All before the first starts: a file that is open for writing while another thread
            # starts a program cannot be started itself.
            for place in places:
                os.mkdir(os.path.join(folder, place.name))
                shutil.copy(older, os.path.join(folder, place.name))
            update = functools.partial(_update, release, target, folder, machine)
            found, failed = verification.everywhere(places, update)
        for name, proof in found.items():
            proofs[name][target] = proof._asdict()
        failures |= failed
        if failed:
            not_updated[target] = {name: failure.message for name, failure in failed.items()}
        done = f"{len(found)} of {len(places)} regions"
        release.say(f"  {target}: updated itself and went back in {done}")
    result = {"regions": proofs, "leftOut": left_out, "notUpdated": not_updated}
    return Made(result, failures=failures)


@contextmanager
def _platform(target: str, folder: str, release: Release) -> Iterator[Platform]:
    """What a target's programs are run by, while the context lasts.

    Raises:
        ReleaseFailure: Wine does not start.
    """
    if target != runners.WINDOWS.name:
        yield Platform(runners.emulator(target))
        return
    runtime = Cache(cache_folder(), release.say).obtain(windows_runtime.recipe(runners.WINDOWS))
    lacking = windows_runtime.wine_libraries(runtime)
    libraries = [os.path.join(lacking, name) for name in sorted(os.listdir(lacking))]
    with wine.machine(os.path.join(folder, "windows"), libraries) as environment:
        yield Platform(("wine",), environment)


def _update(release: Release, target: str, folder: str, machine: Platform, region: Region) -> Proof:
    """Let a copy of an older program update itself, and go back; both to the byte."""
    home = os.path.join(folder, region.name)
    program = os.path.join(home, os.path.basename(program_key(release.version, target)))
    # What an update remembers must not be that of the person who releases.
    memory = {"HOME": home, "XDG_STATE_HOME": os.path.join(home, "state")}
    environment = {**os.environ, **machine.environment, **memory}
    command = [*machine.starter, program]
    old, new = state.sha256_of(program), state.sha256_of(release.program(target))

    def replaced(options: Sequence[str], expected: str) -> str:
        # As root all of them remember in one place, which one update uses at a time.
        asked = [*command, "self-update", *options, "--json", "--wait"]
        programs.output_of(asked, environment=environment, seconds=_SECONDS)
        version = _version(command, environment)
        if state.sha256_of(program) != expected:
            words = f"self-update {' '.join(options)} ended with another program, version {version}"
            raise ReleaseFailure(words)
        return version

    try:
        before = _version(command, environment)
        after = replaced(["--url", region.folder_address], new)
        back = replaced(["--rollback"], old)
    except ReleaseFailure as failure:
        raise RegionFailure(region.name, f"{target}: {failure.message}") from failure
    return Proof(before, after, back)


def _version(command: Sequence[str], environment: dict[str, str]) -> str:
    told: dict[str, Any] = json.loads(
        programs.output_of(
            [*command, "version", "--json"], environment=environment, seconds=_SECONDS
        )
    )
    return str(told.get("version", ""))
