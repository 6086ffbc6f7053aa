"""preflight: find what would go wrong later, and report all of it at once.

Checks the tag, the versions, the keys and the disk, and in every region at once: credentials,
bucket, owner, permission to write, clock.
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
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure, regions_by_problem
from awstoe_release.release import Release, StepResult

_FREE_BYTES: Final = 1 << 30
_CLOCK_SECONDS: Final = 300
_DAY: Final = 86400
_CLIENT_REGIONS: Final = os.path.join("src", "awstoe", "update", "regions.toml")


def run(release: Release) -> StepResult:
    """Check everything.

    Raises:
        ReleaseFailure: Something is wrong. The message has all problems.
    """
    problems: list[str] = []
    warnings: list[str] = []
    for check in (_sources, _regions, _disk, _machine, _keys):
        problems += _problems(check, release, warnings)
    _, failures = in_all_regions(
        release.regions, lambda region: _region(release, region), at_once=release.regions_at_once
    )
    for warning in warnings:
        release.log(f"  warning: {warning}")
    problems += [
        f"{', '.join(sorted(names))}: {message}" + (f" ({hint})" if hint else "")
        for (message, hint), names in regions_by_problem(failures).items()
    ]
    if problems:
        raise ReleaseFailure(
            "not ready for a release:\n" + "\n".join(f"  {each}" for each in problems)
        )
    release.log(f"  version {release.version}, commit {release.commit[:12]}")
    release.log(f"  {len(release.regions)} regions can be written")
    return StepResult({"commit": release.commit, "warnings": warnings})


Check = Callable[[Release, list[str]], Iterator[str]]


def _problems(check: Check, release: Release, warnings: list[str]) -> Iterator[str]:
    """Run a check and return the problems it finds. If the check fails, that is a problem too."""
    try:
        yield from check(release, warnings)
    except AwstoeError as failure:
        yield failure.message + (f" ({failure.hint})" if failure.hint else "")


def _sources(release: Release, warnings: list[str]) -> Iterator[str]:
    """Check that the tree is clean, tagged, and has the version to release."""
    version = source_tree.version(release.sources)
    if version != release.version:
        yield f"the sources have version {version}, the release is {release.version}"
    if release.rehearsal:
        warnings.append("this is a rehearsal: the tag and the tree are not checked")
        return
    changed = source_tree.changes(release.sources)
    if changed:
        shown = ", ".join(changed[:5]) + (" ..." if len(changed) > 5 else "")  # noqa: PLR2004
        yield f"the tree has uncommitted changes: {shown} (commit or remove them)"
    tag = f"v{release.version}"
    tagged = source_tree.tagged(release.sources, tag)
    if tagged is None:
        yield f"the tag {tag} does not exist (run: git tag -s {tag})"
    elif tagged != release.commit:
        yield f"the tag {tag} is at commit {tagged[:12]}, this is {release.commit[:12]}"
    if not any(each.account for each in release.configuration.regions):
        yield (
            "publish.account is not set (set the account that owns the buckets, 12 digits, in"
            " release.toml or as AWSTOE_RELEASE_PUBLISH_ACCOUNT)"
        )


def _regions(release: Release, warnings: list[str]) -> Iterator[str]:
    """Check that the release goes to the regions where installed programs look for updates.

    A rehearsal may use fewer regions.
    """
    del warnings
    if release.rehearsal:
        return
    path = os.path.join(release.sources, _CLIENT_REGIONS)
    try:
        client = {tuple(each) for each in client_regions.read(path).values()}
    except OSError as error:
        yield f"{path} cannot be read: {error.strerror}"
        return
    except ValueError as error:
        yield f"{path}: {error}"
        return
    configured = release.configuration.regions
    ours = {(each.name, each.partition, each.suffix) for each in configured}
    if ours != client:
        # A region that both lists have in different partitions is in both parts of the message.
        only_client = ", ".join(sorted(each[0] for each in client - ours)) or "none"
        only_ours = ", ".join(sorted(each[0] for each in ours - client)) or "none"
        yield (
            f"publish.regions ({release.configuration.publish.regions}) differs from {path}, where"
            f" programs look for updates: only programs use {only_client}; only this release uses"
            f" {only_ours} (use the same list for both)"
        )


def _disk(release: Release, warnings: list[str]) -> Iterator[str]:
    """Check that the disk has space for the builds and downloads."""
    del warnings
    os.makedirs(release.folder, exist_ok=True)
    free = shutil.disk_usage(release.folder).free
    if free < _FREE_BYTES:
        yield (
            f"{release.folder}: {free / _FREE_BYTES * 1024:.0f} MiB are free, expected"
            f" {_FREE_BYTES >> 20} MiB or more"
        )


def _machine(release: Release, warnings: list[str]) -> Iterator[str]:
    """Warn of programs that cannot be tested on this machine."""
    warnings += [
        f"the step conformance cannot test {target} here: {why} (docs/building.md: Targets)"
        for target in release.targets
        if (why := runners.untestable(target))
    ]
    yield from ()


def _keys(release: Release, warnings: list[str]) -> Iterator[str]:
    """Check that the keys exist, are known to users, and stay valid long enough."""
    trust = keys.trust(release)
    if trust.is_rehearsal and not release.rehearsal:
        yield f"{release.trust} has the throw-away keys of a rehearsal"
    wanted = release.configuration.client_url
    if trust.url.rstrip("/") != wanted.rstrip("/") and not release.rehearsal:
        yield f"programs look for updates at {trust.url}, but this release goes to {wanted}"
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
                f"{name} expires in {days} days, expected {limits.key_refuse_days} or more"
                " (extend or rotate it: docs/trust.md)"
            )
        elif days < limits.key_warn_days:
            warnings.append(f"{name} expires in {days} days: rotate it soon (docs/trust.md)")
    keys.metadata_signers(release)


def _region(release: Release, region: Region) -> None:
    """Check the bucket: it exists, is ours, can be written, and its clock agrees with ours."""
    bucket = release.publisher.bucket(region)
    skew = bucket.clock_skew()
    if abs(skew) > _CLOCK_SECONDS:
        raise RegionFailure(
            region.name,
            f"this machine's clock is {abs(skew) / 60:.0f} minutes"
            f" {'ahead of' if skew > 0 else 'behind'} S3's",
            hint="set the clock, for example with: timedatectl set-ntp true",
        )
    if not release.dry_run:
        bucket.probe_writing(f"{release.version}/preflight")
