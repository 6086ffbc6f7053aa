"""metadata: sign the lists from which installed programs update, with the version's programs.

The step continues from what the regions have. It publishes nothing: the timestamp, which makes
installed programs see the new metadata, is published last, by ``promote``.
"""

import datetime as dt
import os
import shutil
from collections.abc import Mapping

from awstoe_release import build_info, keys, published_metadata
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import METADATA, SIGNATURE, TIMESTAMP
from awstoe_release.published_metadata import Published
from awstoe_release.release import Release, StepResult
from awstoe_signing.tuf.repository import Expiries, MetadataRepository, ReleaseFile


def run(release: Release) -> StepResult:
    """Sign metadata with this version's programs in it.

    Raises:
        AwstoeError: The published metadata cannot be read or trusted, or a key cannot be used.
        Skip: The channel has no updates, or this is a dry run.
    """
    if not release.channel.updates:
        raise Skip(f"programs do not update themselves to the channel {release.channel_name}")
    if release.dry_run:
        raise Skip("dry run: would sign trust metadata")
    return signed(release, _files(release))


def signed(
    release: Release, files: list[ReleaseFile], *, withdrawn: Mapping[str, str] | None = None
) -> StepResult:
    """Make the next metadata in the tree, completely or not at all.

    Args:
        release: Where the metadata goes and what signs it.
        files: Programs to add.
        withdrawn: Versions to stop updates to, with the reasons.

    Raises:
        AwstoeError: As for ``run``.
    """
    folder = os.path.join(release.tree, METADATA)
    scratch = os.path.join(release.folder, "metadata-being-made")
    shutil.rmtree(scratch, ignore_errors=True)
    found = published_metadata.fetch(release, scratch)
    repository = MetadataRepository(scratch, expiries(release))
    written = repository.publish(
        files,
        keys.metadata_signers(release),
        now=dt.datetime.now(dt.UTC),
        withdrawn=withdrawn,
    )
    _clear_abandoned(release, found, written, scratch)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)
    release.log(f"  {', '.join(written)}, after {found.region or 'nothing: the first release'}")
    return StepResult(
        {"written": list(written), "after": found.region},
        [os.path.join(folder, name) for name in sorted(os.listdir(folder))],
    )


def expiries(release: Release) -> Expiries:
    """Return how long metadata is valid, from release.toml."""
    days = release.configuration.expiry
    return Expiries(
        targets=dt.timedelta(days=days.targets_days),
        snapshot=dt.timedelta(days=days.snapshot_days),
        timestamp=dt.timedelta(days=days.timestamp_days),
    )


def _files(release: Release) -> list[ReleaseFile]:
    return [_file(release, target) for target in release.targets]


def _file(release: Release, target: str) -> ReleaseFile:
    """Return a target's program, with the machine requirements that its build wrote into it."""
    path = release.program(target)
    try:
        with open(path, "rb") as stream:
            inside = build_info.of_any(stream.read(), path)
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}",
            hint="run the steps before this one: awstoe-release run --from build",
        ) from error
    platform, architecture = target.split("/")
    return ReleaseFile(
        version=release.version,
        platform=platform,
        architecture=architecture,
        program=path,
        signature=path + SIGNATURE,
        glibc=inside.get("glibc_floor"),
    )


def _clear_abandoned(
    release: Release, found: Published, written: tuple[str, ...], scratch: str
) -> None:
    """Remove numbered metadata that no timestamp names, left by an abandoned release.

    No program has seen it: programs start at the timestamp, and no region's timestamp names it.
    """
    publisher = release.publisher

    def clear(region: Region) -> bool:
        bucket, cleared = publisher.bucket(region), False
        for name in written:
            key = f"{METADATA}/{name}"
            there = None if name == TIMESTAMP else bucket.head(key)
            if there and not there.holds(publisher.content(os.path.join(scratch, name))):
                bucket.remove(key)
                cleared = True
        return cleared

    reachable = [region for region in release.regions if region.name in found.timestamps]
    cleared, _ = in_all_regions(reachable, clear, at_once=release.regions_at_once)
    names = sorted(name for name, was_cleared in cleared.items() if was_cleared)
    if names:
        release.log(f"  removed metadata of an abandoned release: {', '.join(names)}")
