"""preflight: what would go wrong later, told now and all at once.

The tag, the versions, the keys, the disk, and in every region at once: credentials, bucket, owner,
permission to write, clock.
"""

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Final

from tuf.api.metadata import Metadata, Root
from tuf.api.serialization import DeserializationError

from awstoe.errors import AwstoeError
from awstoe.update import regions as client_regions
from awstoe_release import keys, runners, source_tree
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.release import Made, Release

_FREE_BYTES: Final = 1 << 30
_CLOCK_SECONDS: Final = 300
_DAY: Final = 86400


def run(release: Release) -> Made:
    """Look at everything.

    Raises:
        ReleaseFailure: Something is wrong; all of it is in the message.
    """
    problems: list[str] = []
    warnings: list[str] = []
    for check in (_sources, _disk, _machine, _client_regions, _keys):
        problems += _problems(check, release, warnings)
    failures = release.publisher.each(release.regions, lambda region: _region(release, region))
    for warning in warnings:
        release.say(f"  warning: {warning}")
    problems += _together(failures)
    if problems:
        raise ReleaseFailure(
            "not ready for a release:\n" + "\n".join(f"  {each}" for each in problems)
        )
    release.say(f"  version {release.version}, commit {release.commit[:12]}")
    release.say(f"  {len(release.regions)} regions can be written")
    return Made({"commit": release.commit, "warnings": warnings})


Check = Callable[[Release, list[str]], Iterator[str]]


def _problems(check: Check, release: Release, warnings: list[str]) -> Iterator[str]:
    """What a check finds; its own failure is a finding as well."""
    try:
        yield from check(release, warnings)
    except AwstoeError as failure:
        yield failure.message + (f" ({failure.hint})" if failure.hint else "")


def _together(failures: dict[str, RegionFailure]) -> Iterator[str]:
    """The failures of regions, those with one story in one line."""
    stories: dict[tuple[str, str | None], list[str]] = {}
    for name, failure in sorted(failures.items()):
        stories.setdefault((failure.message, failure.hint), []).append(name)
    for (message, hint), names in stories.items():
        yield f"{', '.join(names)}: {message}" + (f" ({hint})" if hint else "")


def _sources(release: Release, warnings: list[str]) -> Iterator[str]:
    """The tree is clean, tagged, and says the version that is released."""
    told = source_tree.version(release.sources)
    if told != release.version:
        yield f"the sources say version {told}, the release is {release.version}"
    if release.rehearsal:
        warnings.append("a rehearsal: tag and clean tree are not asked for")
        return
    changed = source_tree.changes(release.sources)
    if changed:
        shown = ", ".join(changed[:5]) + (" ..." if len(changed) > 5 else "")  # noqa: PLR2004
        yield f"the tree has changes that are not in the commit: {shown} (commit or remove them)"
    tag = f"v{release.version}"
    tagged = source_tree.tagged(release.sources, tag)
    if tagged is None:
        yield f"there is no tag {tag} (git tag -s {tag})"
    elif tagged != release.commit:
        yield f"the tag {tag} is at commit {tagged[:12]}, this is {release.commit[:12]}"
    if not any(each.account for each in release.configuration.regions):
        yield (
            "publish.account is empty: whose buckets are these? (12 digits, in release.toml or as"
            " AWSTOE_RELEASE_PUBLISH_ACCOUNT)"
        )


def _disk(release: Release, warnings: list[str]) -> Iterator[str]:
    """There is room for what is built and downloaded again."""
    del warnings
    os.makedirs(release.folder, exist_ok=True)
    free = shutil.disk_usage(release.folder).free
    if free < _FREE_BYTES:
        yield (
            f"{release.folder}: {free / _FREE_BYTES * 1024:.0f} MiB are free, expected"
            f" {_FREE_BYTES >> 20} MiB"
        )


def _machine(release: Release, warnings: list[str]) -> Iterator[str]:
    """Programs can be tested here."""
    warnings += [
        f"the step conformance cannot test {target} here: {why} (docs/building.md: Targets)"
        for target in release.targets
        if (why := runners.untestable(target))
    ]
    yield from ()


def _client_regions(release: Release, warnings: list[str]) -> Iterator[str]:
    """Programs look for updates where this release goes."""
    ours = {each.name: (each.partition, each.suffix) for each in release.configuration.regions}
    path = os.path.join(release.sources, "src", "awstoe", "update", "regions.toml")
    read = client_regions.read(path)
    theirs = {name: (each.partition, each.suffix) for name, each in read.items()}
    found = [
        f"region {name} is not the same in release/regions.toml and in {path}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    if release.rehearsal:
        warnings += found
    else:
        yield from found


def _keys(release: Release, warnings: list[str]) -> Iterator[str]:
    """Keys are there, known to users, and good for long enough."""
    trust = keys.trust(release)
    if trust.is_rehearsal and not release.rehearsal:
        yield f"{release.trust} has the throw-away keys of a rehearsal"
    wanted = release.configuration.client_url
    if trust.url.rstrip("/") != wanted.rstrip("/") and not release.rehearsal:
        yield f"programs look for updates at {trust.url}, this release goes to {wanted}"
    key = keys.openpgp(release)
    expiries = {
        f"the signing key {key.public.fingerprint}": keys.expires(release, key.public.fingerprint)
    }
    try:
        root = Metadata[Root].from_bytes(trust.root).signed
        expiries["the root of trust"] = int(root.expires.timestamp())
    except (DeserializationError, ValueError) as error:
        yield f"{release.trust}: the root of trust cannot be read: {error}"
    limits = release.configuration.expiry
    now = dt.datetime.now(dt.UTC).timestamp()
    for name, expires in expiries.items():
        if expires is None:
            continue
        days = int((expires - now) // _DAY)
        if days < limits.key_refuse_days:
            yield (
                f"{name} expires in {days} days, expected {limits.key_refuse_days} at least"
                " (extend or rotate it: docs/trust.md)"
            )
        elif days < limits.key_warn_days:
            warnings.append(f"{name} expires in {days} days: rotate it soon (docs/trust.md)")
    keys.metadata_signers(release)


def _region(release: Release, region: Region) -> None:
    """The bucket is there, ours, writable, and its clock agrees with this machine's."""
    store = release.publisher.store(region)
    skew = store.clock_skew()
    if abs(skew) > _CLOCK_SECONDS:
        raise RegionFailure(
            region.name,
            f"this machine's clock is {abs(skew) / 60:.0f} minutes"
            f" {'ahead of' if skew > 0 else 'behind'} S3's",
            hint="set the clock, for example with: timedatectl set-ntp true",
        )
    if not release.dry_run:
        store.probe_writing(f"{release.version}/preflight")
