"""What is done between releases: withdraw, roll back, rotate keys, keep metadata fresh, verify.

Each ends in all regions or says which it could not reach; run again, it does what is left.
"""

import datetime as dt
import os
import shutil
from collections.abc import Mapping, Sequence

from awstoe_release import keys, published_metadata, verification
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import CHECKSUMS, KEYRING, METADATA, TIMESTAMP, Item, Phase, content_type
from awstoe_release.publishing import RegionResult
from awstoe_release.release import Release
from awstoe_release.state import write
from awstoe_release.steps import metadata as metadata_step
from awstoe_release.verification import FileVerdict, Visitor
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import Purpose, locked
from awstoe_signing.tuf import root as tuf_root
from awstoe_signing.tuf import trust_folder
from awstoe_signing.tuf.repository import MetadataRepository

Failures = Mapping[str, RegionFailure]


def verify(release: Release) -> tuple[Mapping[str, Sequence[FileVerdict]], Failures]:
    """Download a version from all regions and verify it as users do; needs no local files.

    Returns:
        What was verified and what failed, by region.

    Raises:
        ReleaseFailure: The keys cannot be read.
    """
    visitor = Visitor(keys.keyring(release), os.path.join(release.folder, "downloads"))
    return verification.everywhere(
        release.regions, lambda region: visitor.folder(region, release.version)
    )


def fetch(release: Release) -> None:
    """Bring the files of a published version to this machine, verified, when they are not here.

    Raises:
        ReleaseFailure: No region has it as it should be.
    """
    if os.path.exists(release.document(CHECKSUMS)):
        return
    visitor = Visitor(keys.keyring(release), os.path.join(release.folder, "downloads"))
    problems = []
    for region in release.regions:
        folder = os.path.join(release.tree, release.version)
        try:
            visitor.folder(region, release.version, keep=folder)
        except RegionFailure as failure:
            shutil.rmtree(folder, ignore_errors=True)
            problems.append(f"{region.name}: {failure.message}")
        else:
            write(release.document(KEYRING), keys.trust(release).keys)
            release.say(f"  version {release.version} fetched from {region.name}")
            return
    raise ReleaseFailure(
        f"no region has version {release.version}:\n" + "\n".join(f"  {p}" for p in problems)
    )


def refresh_timestamp(release: Release) -> Failures:
    """Sign the timestamp anew, in all regions: the regular task that keeps metadata fresh.

    When the snapshot has less than half of its time left, it is signed anew as well.

    Raises:
        ReleaseFailure: Nothing was published, or no region takes it.
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
    """Tell installed programs that nobody is to be updated to a version any more.

    Its files stay: whoever has pinned them can still get them; what was published never changes.

    Raises:
        ReleaseFailure: It was not published, or is what the channel offers now.
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
    """Let another key sign from now on, and tell installed programs where they must know.

    A metadata key: a new root is published, which old programs follow by themselves. An OpenPGP
    key: the next one, which is built into programs already, becomes current with the next release.

    Raises:
        ReleaseFailure: There is no key to rotate, or nothing takes the new root.
    """
    directory = keys.directory(release)
    now = int(dt.datetime.now(dt.UTC).timestamp())
    if release.dry_run:
        release.say(f"  dry run: would rotate the {purpose.value} key in {directory.folder}")
        return {}
    with locked(directory.folder):
        directory = keys.directory(release)
        expires = lifecycle.after(now, days)
        lifecycle.rotate(directory, purpose, now=now, expires=expires, kms=kms, name=name)
        trust_folder.write(directory)
    if purpose in {Purpose.OPENPGP, Purpose.AUTHENTICODE}:
        release.say(f"  the new {purpose.value} key signs from the next release on")
        return {}
    folder = _scratch(release)
    found = published_metadata.fetch(release, folder)
    root = f"{tuf_root.version(directory)}.root.json"
    written = [root]
    if found.region:
        repository = MetadataRepository(folder, metadata_step.expiries(release))
        moment = dt.datetime.now(dt.UTC)
        # With the keys that the new root names, so that its followers find all of one piece.
        written += repository.publish([], keys.metadata_signers(release), now=moment)
    return _send(release, folder, written)


def rollback_text(version: str, sources: str) -> str:
    """How an older version is brought back, for a person: as a higher one, never a lower one."""
    tag = f"v{version}"
    return "\n".join(
        [
            f"Installed programs never go back to a lower version by themselves, so {version} comes"
            " back as a higher one:",
            "",
            f"  git -C {sources} switch --create bring-back-{version} HEAD",
            f"  git -C {sources} restore --source {tag} --staged --worktree -- src build signing",
            "  # set the next version in src/awstoe/__init__.py, write changelog.d/<n>.changed.md",
            "  git commit, git tag, then: make release",
            "",
        ]
    )


def _scratch(release: Release) -> str:
    folder = os.path.join(release.folder, "metadata-being-made")
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _is_old(release: Release, folder: str, now: dt.datetime) -> bool:
    """Whether the snapshot has used more than half of its time."""
    from tuf.api.metadata import Metadata, Snapshot, Timestamp  # noqa: PLC0415

    with open(os.path.join(folder, TIMESTAMP), "rb") as stream:
        number = Metadata[Timestamp].from_bytes(stream.read()).signed.snapshot_meta.version
    with open(os.path.join(folder, f"{number}.snapshot.json"), "rb") as stream:
        left = Metadata[Snapshot].from_bytes(stream.read()).signed.expires - now
    return left < metadata_step.expiries(release).snapshot / 2


def _offered(release: Release, version: str) -> list[str]:
    """The regions whose pointers have a version."""
    key = next(each for each in release.items if each.source).key
    found: list[str] = []

    def look(region: Region) -> None:
        stored = release.publisher.store(region).look(key)
        if stored and stored.metadata.get("version") == version:
            found.append(region.name)

    release.publisher.each(release.regions, look)
    return sorted(found)


def _send(release: Release, folder: str, written: Sequence[str]) -> Failures:
    """Publish metadata files: the numbered ones first, the timestamp last; then look at it."""
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
        release.say(f"  dry run: would publish {', '.join(written)}")
        return {}
    results = release.publisher.publish(release.regions, items, "metadata")
    failures = _failures(results)
    root = keys.trust(release).root
    visitor = Visitor(keys.keyring(release), os.path.join(release.folder, "downloads"))
    good = [region for region in release.regions if region.name not in failures]
    if TIMESTAMP in written:
        _, wrong = verification.everywhere(good, lambda region: visitor.catalogue(region, root))
        failures |= wrong
    release.say(f"  {', '.join(written)}: {len(results) - len(failures)} of {len(results)} regions")
    return failures


def _failures(results: Mapping[str, RegionResult]) -> dict[str, RegionFailure]:
    return {name: each.failure for name, each in results.items() if each.failure}
