"""The trust metadata that the regions have now: the newest of all, verified, to go on from.

There is no other memory of it: whoever releases, from whatever machine, goes on from what users
see.
"""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from awstoe_release import keys
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import METADATA, TIMESTAMP
from awstoe_release.release import Release
from awstoe_release.s3 import Store
from awstoe_release.state import write

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)

_BYTES: Final = 16 << 20


class Published(NamedTuple):
    """What the newest region has."""

    region: str
    """Where it was read; empty when nothing was published anywhere yet."""
    timestamps: Mapping[str, int]
    """The version of each region's timestamp; 0 where there is none."""


def fetch(release: Release, folder: str) -> Published:
    """Put the newest published metadata into ``folder``, roots included.

    Args:
        release: Its keys decide what is believed.
        folder: Empty or missing.

    Raises:
        ReleaseFailure: A region that should be asked does not answer, or what it has is not ours.
    """
    versions: dict[str, int] = {}
    stamps: dict[str, bytes] = {}

    def ask(region: Region) -> None:
        data = release.publisher.store(region).get(f"{METADATA}/{TIMESTAMP}", _BYTES)
        versions[region.name] = 0
        if data is not None:
            stamps[region.name] = data
            versions[region.name] = _read(Timestamp, data, region.name).version

    regions = release.configuration.regions
    failures = release.publisher.each(regions, ask)
    if len(failures) == len(regions):
        first = next(iter(failures.values()))
        raise ReleaseFailure(
            f"no region says what trust metadata it has: {first.message}", hint=first.hint
        )
    for failure in failures.values():
        release.say(f"  {failure.region}: not asked for its metadata: {failure.message}")
    roots = _own_roots(release, folder)
    newest = max(versions, key=lambda name: versions[name])
    if not versions[newest]:
        return Published("", versions)
    store = release.publisher.store(release.configuration.region(newest))
    try:
        _take(store, stamps[newest], roots, folder)
    except (RepositoryError, RegionFailure) as error:
        raise ReleaseFailure(
            f"{newest}: its trust metadata is not to be believed: {error}",
            hint="find out who published it before anything else is released",
        ) from error
    return Published(newest, versions)


def _own_roots(release: Release, folder: str) -> list[Metadata[Root]]:
    """All roots of our keys into the folder; gives them, oldest first."""
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
            hint="finish the key ceremony: docs/trust.md",
        )
    return found


def _take(store: Store, stamp: bytes, roots: list[Metadata[Root]], folder: str) -> None:
    """Download what the timestamp names, each signed for by a root of ours."""
    timestamp = _metadata(Timestamp, stamp, TIMESTAMP)
    root = _root_of(timestamp, roots)
    reference = timestamp.signed.snapshot_meta
    name = f"{reference.version}.snapshot.json"
    data = _object(store, name)
    reference.verify_length_and_hashes(data)
    snapshot = _metadata(Snapshot, data, name)
    root.verify_delegate("snapshot", snapshot.signed_bytes, snapshot.signatures)
    write(os.path.join(folder, name), data)
    reference = snapshot.signed.meta["targets.json"]
    name = f"{reference.version}.targets.json"
    data = _object(store, name)
    reference.verify_length_and_hashes(data)
    targets = _metadata(Targets, data, name)
    root.verify_delegate("targets", targets.signed_bytes, targets.signatures)
    write(os.path.join(folder, name), data)
    # Last: with it the folder is a whole.
    write(os.path.join(folder, TIMESTAMP), stamp)


def _root_of(timestamp: Metadata[Timestamp], roots: list[Metadata[Root]]) -> Root:
    """The newest root that signs for a timestamp: after a rotation that may be an older one."""
    for each in reversed(roots):
        try:
            each.signed.verify_delegate("timestamp", timestamp.signed_bytes, timestamp.signatures)
        except RepositoryError:
            continue
        return each.signed
    raise RepositoryError("its timestamp is not signed by our keys")


def _object(store: Store, name: str) -> bytes:
    data = store.get(f"{METADATA}/{name}", _BYTES)
    if data is None:
        raise RepositoryError(f"{name} is missing")
    return data


def _metadata(kind: type[T], data: bytes, name: str) -> Metadata[T]:
    try:
        found = Metadata[T].from_bytes(data)
    except DeserializationError as error:
        raise ReleaseFailure(f"{name} is no trust metadata: {error}") from error
    if not isinstance(found.signed, kind):
        raise ReleaseFailure(f"{name}: expected the metadata of a {kind.type}")
    return found


def _read(kind: type[T], data: bytes, name: str) -> T:
    return _metadata(kind, data, name).signed
