"""metadata: what installed programs update by: signed lists that name the version's programs.

It goes on from what the regions have. Nothing here is published yet; the timestamp, which makes
installed programs see it, comes last of all, in ``promote``.
"""

import datetime as dt
import os
import shutil
from collections.abc import Mapping

from awstoe_release import facts, keys, published_metadata
from awstoe_release.configuration import Region
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import METADATA, SIGNATURE, TIMESTAMP
from awstoe_release.published_metadata import Published
from awstoe_release.release import Made, Release
from awstoe_signing.tuf.repository import Expiries, MetadataRepository, ReleaseFile


def run(release: Release) -> Made:
    """Sign metadata with this version's programs in it.

    Raises:
        ReleaseFailure: What is published cannot be read or believed, or a key cannot be had.
        Skip: The channel has no updates, or this is a dry run.
    """
    if not release.channel.updates:
        raise Skip(f"programs do not update themselves to the channel {release.channel_name}")
    if release.dry_run:
        raise Skip("dry run: would sign trust metadata")
    return signed(release, _files(release))


def signed(
    release: Release, files: list[ReleaseFile], *, withdrawn: Mapping[str, str] | None = None
) -> Made:
    """Make the next metadata in the tree, whole or not at all.

    Args:
        release: Where it goes and what signs it.
        files: Programs to add.
        withdrawn: Versions that nobody is to be updated to any more, with the reasons.

    Raises:
        ReleaseFailure: See ``run``.
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
    release.say(f"  {', '.join(written)}, after {found.region or 'nothing: the first release'}")
    return Made(
        {"written": list(written), "after": found.region},
        [os.path.join(folder, name) for name in sorted(os.listdir(folder))],
    )


def expiries(release: Release) -> Expiries:
    """How long metadata is valid, as release.toml says."""
    days = release.configuration.expiry
    return Expiries(
        targets=dt.timedelta(days=days.targets_days),
        snapshot=dt.timedelta(days=days.snapshot_days),
        timestamp=dt.timedelta(days=days.timestamp_days),
    )


def _files(release: Release) -> list[ReleaseFile]:
    return [_file(release, target) for target in release.targets]


def _file(release: Release, target: str) -> ReleaseFile:
    """A target's program; what it needs of the machine is what its build wrote into it."""
    path = release.program(target)
    try:
        with open(path, "rb") as stream:
            inside = facts.of_any(stream.read(), path)
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}", hint="run the steps before: --from build"
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
    """Remove numbered metadata that no timestamp names, left by a release that was given up.

    Nobody was ever told of it: programs begin at the timestamp, and that of no region we asked
    names it.
    """
    publisher = release.publisher
    cleared: set[str] = set()

    def clear(region: Region) -> None:
        store = publisher.store(region)
        for name in written:
            key = f"{METADATA}/{name}"
            there = None if name == TIMESTAMP else store.look(key)
            if there and not there.holds(publisher.content(os.path.join(scratch, name))):
                store.remove(key)
                cleared.add(region.name)

    asked = [region for region in release.regions if region.name in found.timestamps]
    publisher.each(asked, clear)
    if cleared:
        release.say(
            f"  removed metadata of a release that was given up: {', '.join(sorted(cleared))}"
        )
