"""prove-update: a program of an older version updates itself from the regions, for real.

Each target's program does it in the canary region, on its own platform or an emulation; this
machine's own program does it in every region.
"""

import functools
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from awstoe_release import programs, state, verification
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure, Skip
from awstoe_release.plan import program_key
from awstoe_release.release import Made, Release

_SECONDS: Final = 180
_NATIVE: Final = {"x86_64": ("linux/amd64", "linux/386"), "aarch64": ("linux/arm64",)}


class Proof(NamedTuple):
    """An update that worked."""

    before: str
    """The version before it."""
    after: str


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
    for target in release.targets:
        older = os.path.join(
            release.older, *target.split("/"), os.path.basename(release.program(target))
        )
        starter = _starter(target)
        if not os.path.exists(older) or starter is None:
            left_out[target] = "no older program" if starter is not None else "cannot run here"
            release.say(f"  {target}: {left_out[target]}")
            continue
        everywhere = target == _NATIVE.get(platform.machine(), ("",))[0]
        places = regions if everywhere else (canary,)
        with tempfile.TemporaryDirectory(dir=release.folder, prefix="proof-") as folder:
            # All before the first starts: a file that is open for writing while another thread
            # starts a program cannot be started itself.
            for place in places:
                os.mkdir(os.path.join(folder, place.name))
                shutil.copy(older, os.path.join(folder, place.name))
            update = functools.partial(_update, release, target, folder, starter)
            found, failed = verification.everywhere(places, update)
        for name, proof in found.items():
            proofs[name][target] = proof._asdict()
        failures |= failed
        release.say(f"  {target}: updated itself in {len(found)} of {len(places)} regions")
    return Made({"regions": proofs, "leftOut": left_out}, failures=failures)


def _starter(target: str) -> Sequence[str] | None:
    """What a target's program is started with here; None when it cannot be."""
    if target in _NATIVE.get(platform.machine(), ()):
        return ()
    if target == "windows/amd64":
        return ("wine",) if programs.is_there("wine") else None
    emulator = {"linux/arm64": "qemu-aarch64-static", "linux/386": "qemu-i386-static"}.get(target)
    return (emulator,) if emulator and programs.is_there(emulator) else None


def _update(
    release: Release, target: str, folder: str, starter: Sequence[str], region: Region
) -> Proof:
    """Let a copy of an older program update itself; its bytes must be the released ones then."""
    home = os.path.join(folder, region.name)
    program = os.path.join(home, os.path.basename(program_key(release.version, target)))
    # What an update remembers must not be that of the person who releases.
    environment = {**os.environ, "HOME": home, "XDG_STATE_HOME": os.path.join(home, "state")}
    command = [*starter, program]
    try:
        before = _version(command, environment)
        programs.output_of(
            # As root all of them remember in one place, which one update uses at a time.
            [*command, "self-update", "--url", region.folder_address, "--json", "--wait"],
            environment=environment,
            seconds=_SECONDS,
        )
        after = _version(command, environment)
    except ReleaseFailure as failure:
        raise RegionFailure(region.name, f"{target}: {failure.message}") from failure
    if state.sha256_of(program) != state.sha256_of(release.program(target)):
        raise RegionFailure(
            region.name, f"{target}: version {before} made {after} of itself, not this release"
        )
    return Proof(before, after)


def _version(command: Sequence[str], environment: dict[str, str]) -> str:
    told: dict[str, Any] = json.loads(
        programs.output_of(
            [*command, "version", "--json"], environment=environment, seconds=_SECONDS
        )
    )
    return str(told.get("version", ""))
