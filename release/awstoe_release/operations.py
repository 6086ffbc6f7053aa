"""The work between releases: withdraw, roll back, rotate keys, keep metadata fresh, verify.

Each operation completes in all regions or reports the regions it could not reach. Run it again to
do the rest.
"""

import datetime as dt
import os
import shutil
from collections.abc import Mapping, Sequence

from awstoe_release import keys, published_metadata, verification
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import CHECKSUMS, KEYRING, METADATA, TIMESTAMP, Item, Phase, content_type
from awstoe_release.publishing import RegionResult
from awstoe_release.release import Release
from awstoe_release.state import write
from awstoe_release.steps import metadata as metadata_step
from awstoe_release.verification import FileVerdict, ReleaseVerifier
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import Purpose, locked
from awstoe_signing.tuf import root as tuf_root
from awstoe_signing.tuf import trust_folder
from awstoe_signing.tuf.repository import MetadataRepository

Failures = Mapping[str, RegionFailure]


def verify(release: Release) -> tuple[Mapping[str, Sequence[FileVerdict]], Failures]:
    """Download a version from all regions and verify it as users do. Needs no local files.

    Returns:
        The verified files and the failures, by region.

    Raises:
        ReleaseFailure: The keys cannot be read.
    """
    verifier = ReleaseVerifier(keys.keyring(release), os.path.join(release.folder, "downloads"))
    return in_all_regions(
        release.regions,
        lambda region: verifier.verify(region, release.version),
        at_once=verification.REGIONS_AT_ONCE,
    )


def fetch(release: Release) -> None:
    """Download and verify the files of a published version if this machine does not have them.

    Raises:
        ReleaseFailure: No region has the version, complete and good.
    """
    if os.path.exists(release.document(CHECKSUMS)):
        return
    verifier = ReleaseVerifier(keys.keyring(release), os.path.join(release.folder, "downloads"))
    problems = []
    for region in release.regions:
        folder = os.path.join(release.tree, release.version)
        try:
            verifier.verify(region, release.version, keep=folder)
        except RegionFailure as failure:
            shutil.rmtree(folder, ignore_errors=True)
            problems.append(f"{region.name}: {failure.message}")
        else:
            write(release.document(KEYRING), keys.trust(release).keys)
            release.log(f"  version {release.version} fetched from {region.name}")
            return
    raise ReleaseFailure(
        f"no region has version {release.version}:\n"
        + "\n".join(f"  {problem}" for problem in problems)
    )


def refresh_timestamp(release: Release) -> Failures:
    """Sign a new timestamp for all regions: the regular task that keeps the metadata fresh.

    If less than half of the snapshot's validity is left, also sign a new snapshot.

    Raises:
        SigningFailure: Nothing is published.
        ReleaseFailure: The published metadata cannot be read or trusted.
    """
    folder = _scratch(release)
    published_metadata.fetch(release, folder)
    repository = MetadataRepository(folder, metadata_step.expiries(release))
    now = dt.datetime.now(dt.UTC)
    if _is_old(release, folder, now):
        written = repository.refresh(keys.metadata_signers(release), now=now)
    else:
        stamped = repository.refresh_timestamp(keys.signers(release, Purpose.TIMESTAMP), now=now)
        written = (stamped,)
    return _send(release, folder, written)


def withdraw(release: Release, version: str, reason: str) -> Failures:
    """Stop updates of installed programs to a version.

    Its files stay, for users who have pinned them: published files never change.

    Raises:
        SigningFailure: The version is not published.
        ReleaseFailure: The channel offers it now.
    """
    folder = _scratch(release)
    published_metadata.fetch(release, folder)
    offered = _offered(release, version)
    if offered:
        raise ReleaseFailure(
            f"{version} is what {release.channel.pointers}/ offers in {', '.join(offered)}",
            hint="release or promote another version first, then withdraw this one",
        )
    repository = MetadataRepository(folder, metadata_step.expiries(release))
    written = repository.publish(
        [],
        keys.metadata_signers(release),
        now=dt.datetime.now(dt.UTC),
        withdrawn={version: reason},
    )
    return _send(release, folder, written)


def rotate_key(
    release: Release, purpose: Purpose, days: int, kms: str = "", name: str = ""
) -> Failures:
    """Let another key sign from now on, and publish what installed programs must know.

    For a metadata key, a new root is published, which old programs follow by themselves. For an
    OpenPGP key, the next key, which is already built into programs, signs the next release.

    Raises:
        SigningFailure: There is no key to rotate, or another command is changing the keys.
        ReleaseFailure: The published metadata cannot be read or trusted.
    """
    directory = keys.directory(release)
    now = int(dt.datetime.now(dt.UTC).timestamp())
    if release.dry_run:
        release.log(f"  dry run: would rotate the {purpose.value} key in {directory.folder}")
        return {}
    with locked(directory.folder):
        directory = keys.directory(release)
        expires = lifecycle.after(now, days)
        lifecycle.rotate(directory, purpose, now=now, expires=expires, kms=kms, name=name)
        trust_folder.write(directory)
    if purpose in {Purpose.OPENPGP, Purpose.AUTHENTICODE}:
        release.log(f"  the new {purpose.value} key signs from the next release on")
        return {}
    folder = _scratch(release)
    found = published_metadata.fetch(release, folder)
    root = f"{tuf_root.version(directory)}.root.json"
    written = [root]
    if found.region:
        repository = MetadataRepository(folder, metadata_step.expiries(release))
        moment = dt.datetime.now(dt.UTC)
        # With the keys that the new root names, so that all metadata fits the new root.
        written += repository.publish([], keys.metadata_signers(release), now=moment)
    return _send(release, folder, written)


def rollback_text(version: str, sources: str) -> str:
    """Return how to bring an older version back: as a higher version, never as a lower one."""
    tag = f"v{version}"
    return "\n".join(
        [
            f"Installed programs never go back to a lower version by themselves. Release {version}"
            " again under a higher version:",
            "",
            f"  git -C {sources} switch --create bring-back-{version} HEAD",
            f"  git -C {sources} restore --source {tag} --staged --worktree -- src build signing",
            "  # write changelog.d/<n>.changed.md, then, with the next version:",
            "  awstoe-release prepare VERSION",
            '  git commit -am "Release VERSION" && git tag -s vVERSION',
            "  make release",
            "",
        ]
    )


def _scratch(release: Release) -> str:
    folder = os.path.join(release.folder, "metadata-being-made")
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _is_old(release: Release, folder: str, now: dt.datetime) -> bool:
    """Whether less than half of the snapshot's validity is left."""
    from tuf.api.metadata import Metadata, Snapshot, Timestamp  # noqa: PLC0415

    with open(os.path.join(folder, TIMESTAMP), "rb") as stream:
        number = Metadata[Timestamp].from_bytes(stream.read()).signed.snapshot_meta.version
    with open(os.path.join(folder, f"{number}.snapshot.json"), "rb") as stream:
        left = Metadata[Snapshot].from_bytes(stream.read()).signed.expires - now
    return left < metadata_step.expiries(release).snapshot / 2


def _offered(release: Release, version: str) -> list[str]:
    """Return the regions whose pointers have a version."""
    key = next(each.key for each in release.list_items() if each.phase is Phase.POINTERS)

    def offers(region: Region) -> bool:
        stored = release.publisher.bucket(region).head(key)
        return stored is not None and stored.metadata.get("version") == version

    found, _ = in_all_regions(release.regions, offers, at_once=release.regions_at_once)
    return sorted(name for name, offered in found.items() if offered)


def _send(release: Release, folder: str, written: Sequence[str]) -> Failures:
    """Publish metadata files, numbered files first and the timestamp last, and verify them."""
    publish = release.configuration.publish
    items = [
        Item(
            key=f"{METADATA}/{name}",
            path=os.path.join(folder, name),
            phase=Phase.TIMESTAMP if name == TIMESTAMP else Phase.METADATA,
            immutable=name != TIMESTAMP,
            content_type=content_type(name),
            cache_control=publish.pointer_cache if name == TIMESTAMP else publish.immutable_cache,
        )
        for name in written
    ]
    if release.dry_run:
        release.log(f"  dry run: would publish {', '.join(written)}")
        return {}
    results = release.publisher.publish(release.regions, items, "metadata")
    failures = _failures(results)
    root = keys.trust(release).root
    verifier = ReleaseVerifier(keys.keyring(release), os.path.join(release.folder, "downloads"))
    good = [region for region in release.regions if region.name not in failures]
    if TIMESTAMP in written:
        _, wrong = in_all_regions(
            good,
            lambda region: verifier.release_index(region, root),
            at_once=verification.REGIONS_AT_ONCE,
        )
        failures |= wrong
    release.log(f"  {', '.join(written)}: {len(results) - len(failures)} of {len(results)} regions")
    return failures


def _failures(results: Mapping[str, RegionResult]) -> dict[str, RegionFailure]:
    return {name: each.failure for name, each in results.items() if each.failure}
