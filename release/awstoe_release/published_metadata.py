"""Reads the trust metadata that the regions have now: the newest, verified, to continue from.

It is stored nowhere else: a release from any machine continues from what users see.
"""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from awstoe_release import keys
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import METADATA, TIMESTAMP
from awstoe_release.release import Release
from awstoe_release.s3 import Bucket
from awstoe_release.state import write

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)

_BYTES: Final = 16 << 20


class Published(NamedTuple):
    """The newest published metadata."""

    region: str
    """The region it was read from; empty if nothing is published in any region."""
    timestamps: Mapping[str, int]
    """The version of each region's timestamp; 0 if it has none."""


def fetch(release: Release, folder: str) -> Published:
    """Put the newest published metadata into ``folder``, roots included.

    Args:
        release: Its keys decide which metadata is trusted.
        folder: Empty or missing.

    Raises:
        ReleaseFailure: No region answers, or the metadata is not signed by our keys.
    """

    def read(region: Region) -> bytes | None:
        return release.publisher.bucket(region).get(f"{METADATA}/{TIMESTAMP}", _BYTES)

    regions = release.configuration.regions
    stamps, failures = in_all_regions(regions, read, at_once=release.regions_at_once)
    if not stamps:
        first = next(iter(failures.values()))
        raise ReleaseFailure(
            f"the trust metadata cannot be read from any region: {first.message}", hint=first.hint
        )
    for failure in failures.values():
        release.log(f"  {failure.region}: its metadata cannot be read: {failure.message}")
    versions = {
        name: _read(Timestamp, data, name).version if data is not None else 0
        for name, data in stamps.items()
    }
    roots = _own_roots(release, folder)
    newest = max(versions, key=lambda name: versions[name])
    stamp = stamps[newest]
    if stamp is None:
        return Published("", versions)
    bucket = release.publisher.bucket(release.configuration.region(newest))
    try:
        _take(bucket, stamp, roots, folder)
    except (RepositoryError, RegionFailure) as error:
        raise ReleaseFailure(
            f"{newest}: its trust metadata cannot be trusted: {error}",
            hint="find out who published it before you release anything else",
        ) from error
    return Published(newest, versions)


def _own_roots(release: Release, folder: str) -> list[Metadata[Root]]:
    """Copy all roots of our keys into the folder. Return them, oldest first."""
    directory = keys.directory(release)
    found: list[Metadata[Root]] = []
    while True:
        name = f"{len(found) + 1}.root.json"
        path = directory.path("metadata", name)
        if not os.path.exists(path):
            break
        with open(path, "rb") as stream:
            data = stream.read(_BYTES)
        found.append(_metadata(Root, data, path))
        write(os.path.join(folder, name), data)
    if not found:
        raise ReleaseFailure(
            f"{directory.path('metadata')} has no root of trust",
            hint="complete the key ceremony: docs/trust.md",
        )
    return found


def _take(bucket: Bucket, stamp: bytes, roots: list[Metadata[Root]], folder: str) -> None:
    """Download the files that the timestamp names, and check that our root's keys signed them."""
    timestamp = _metadata(Timestamp, stamp, TIMESTAMP)
    root = _root_of(timestamp, roots)
    reference = timestamp.signed.snapshot_meta
    name = f"{reference.version}.snapshot.json"
    data = _object(bucket, name)
    reference.verify_length_and_hashes(data)
    snapshot = _metadata(Snapshot, data, name)
    root.verify_delegate("snapshot", snapshot.signed_bytes, snapshot.signatures)
    write(os.path.join(folder, name), data)
    reference = snapshot.signed.meta["targets.json"]
    name = f"{reference.version}.targets.json"
    data = _object(bucket, name)
    reference.verify_length_and_hashes(data)
    targets = _metadata(Targets, data, name)
    root.verify_delegate("targets", targets.signed_bytes, targets.signatures)
    write(os.path.join(folder, name), data)
    # Last: it makes the folder complete.
    write(os.path.join(folder, TIMESTAMP), stamp)


def _root_of(timestamp: Metadata[Timestamp], roots: list[Metadata[Root]]) -> Root:
    """Return the newest root whose keys signed a timestamp; an older one after a rotation."""
    for each in reversed(roots):
        try:
            each.signed.verify_delegate("timestamp", timestamp.signed_bytes, timestamp.signatures)
        except RepositoryError:
            continue
        return each.signed
    raise RepositoryError("its timestamp is not signed by our keys")


def _object(bucket: Bucket, name: str) -> bytes:
    data = bucket.get(f"{METADATA}/{name}", _BYTES)
    if data is None:
        raise RepositoryError(f"{name} is missing")
    return data


def _metadata(kind: type[T], data: bytes, name: str) -> Metadata[T]:
    try:
        found = Metadata[T].from_bytes(data)
    except DeserializationError as error:
        raise ReleaseFailure(f"{name} is not trust metadata: {error}") from error
    if not isinstance(found.signed, kind):
        raise ReleaseFailure(f"{name}: expected the metadata of a {kind.type}")
    return found


def _read(kind: type[T], data: bytes, name: str) -> T:
    return _metadata(kind, data, name).signed
