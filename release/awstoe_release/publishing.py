"""Sends objects to all regions: in parallel, phase by phase, only what is missing.

A region that fails is reported and gets nothing more; the others continue. Checksums show what a
region already has, so a second run, or one after an interruption, sends only what is missing.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe_release import contents
from awstoe_release.configuration import Publish, Region
from awstoe_release.contents import Bandwidth, Content
from awstoe_release.failure import RegionFailure
from awstoe_release.plan import Item, Phase
from awstoe_release.progress import Progress
from awstoe_release.s3 import Bucket, ObjectExists, Sessions, Stored

_MIB: Final = 1 << 20


class Outcome(StrEnum):
    """What happened to one object in one region."""

    SENT = "sent"
    COPIED = "copied"
    PRESENT = "present"
    MISSING = "missing"
    """Not there, and not sent because this is a dry run."""


class RegionResult(NamedTuple):
    """What happened in one region."""

    region: str
    outcomes: Mapping[str, Outcome]
    """By key."""
    failure: RegionFailure | None

    def count(self, outcome: Outcome) -> int:
        """Return how many objects had this outcome."""
        return sum(each is outcome for each in self.outcomes.values())

    def counts(self) -> dict[str, int]:
        """Return how many objects had each outcome, by the outcome's name."""
        return {outcome.value: self.count(outcome) for outcome in Outcome}


class Publisher:
    """Compares and sends. One serves all regions, so that its limits hold for all together."""

    def __init__(self, publish: Publish, *, version: str, dry_run: bool = False) -> None:
        self._publish = publish
        self._dry_run = dry_run
        self._metadata = {"version": version}
        self._sessions = Sessions(publish)
        self.bandwidth = Bandwidth(publish.bandwidth_mib_per_second * _MIB)
        self._buckets: dict[str, Bucket] = {}
        self._contents: dict[str, Content] = {}
        self._lock = threading.Lock()

    def bucket(self, region: Region) -> Bucket:
        """Return the bucket of a region.

        Raises:
            RegionFailure: There are no credentials with the profile's name.
        """
        with self._lock:
            if region.name not in self._buckets:
                self._buckets[region.name] = self._sessions.open(region)
            return self._buckets[region.name]

    def content(self, path: str) -> Content:
        """Return a local file's checksums, computed once.

        Raises:
            ReleaseFailure: It cannot be read.
        """
        if path not in self._contents:
            self._contents[path] = contents.read(
                path,
                part_size=self._publish.part_mib * _MIB,
                multipart_from=self._publish.multipart_mib * _MIB,
            )
        return self._contents[path]

    def publish(
        self, regions: Sequence[Region], items: Sequence[Item], what: str
    ) -> dict[str, RegionResult]:
        """Send ``items`` to ``regions``, phase by phase.

        Args:
            regions: Where to.
            items: The objects.
            what: The name of this in the progress line.

        Returns:
            The result of each region, by name.

        Raises:
            ReleaseFailure: A local file cannot be read. Nothing was sent.
        """
        run = _Run(regions)
        if self._dry_run:
            unmade = [item for item in items if not os.path.exists(item.path)]
            for item in unmade:
                for region in regions:
                    run.done(region, item, Outcome.MISSING)
            items = [item for item in items if item not in unmade]
        sizes = {item.key: self.content(item.path).size for item in items}
        progress = Progress(
            what,
            files=len(items) * len(regions),
            size=sum(sizes.values()) * len(regions),
            regions=len(regions),
        )
        try:
            with ThreadPoolExecutor(self._publish.concurrency) as pool:
                for phase in Phase:
                    # Object by object over all regions, so that no region waits for another one.
                    tasks = [
                        pool.submit(self._send, run, region, item, progress)
                        for item in items
                        if item.phase is phase
                        for region in regions
                    ]
                    try:
                        for task in tasks:
                            task.result()
                    except BaseException:
                        pool.shutdown(wait=False, cancel_futures=True)
                        run.stop()
                        raise
        finally:
            progress.close()
        return run.results()

    def _send(self, run: "_Run", region: Region, item: Item, progress: Progress) -> None:
        """Send one object to one region, unless that region has failed before."""
        if run.failed(region):
            return
        try:
            outcome = self._compare_and_send(self.bucket(region), item, progress)
        except RegionFailure as failure:
            run.fail(region, failure)
            return
        run.done(region, item, outcome)
        progress.file_done()

    def _compare_and_send(self, bucket: Bucket, item: Item, progress: Progress) -> Outcome:
        """Send one object if the region does not have it."""
        content = self.content(item.path)
        found = bucket.head(item.key)
        if found is not None and self._is(found, content, item):
            progress.sent(content.size)
            return Outcome.PRESENT
        if found is not None and item.immutable:
            raise _another(bucket, item, found)
        if self._dry_run:
            return Outcome.MISSING
        if item.source:
            original = bucket.head(item.source)
            if original is None or not original.holds(content):
                raise RegionFailure(
                    bucket.region.name,
                    f"{item.source} is not what was published: {item.key} is not changed",
                    hint=f"find out who wrote to {bucket.region.bucket} before you continue",
                )
            bucket.copy(item, content, original, self._metadata)
            progress.sent(content.size)
            return Outcome.COPIED
        try:
            bucket.put(
                item,
                content,
                metadata=self._metadata,
                bandwidth=self.bandwidth,
                sent=progress.sent,
            )
        except ObjectExists:
            # Written by an attempt whose response was lost, or by another process: check again.
            found = bucket.head(item.key)
            if found is None or not self._is(found, content, item):
                raise _another(bucket, item, found) from None
        return Outcome.SENT

    @staticmethod
    def _is(found: Stored, content: Content, item: Item) -> bool:
        """Whether a region has exactly this object. For a pointer, the headers count as well."""
        if not found.holds(content):
            return False
        headers = (found.content_type, found.cache_control)
        return item.immutable or headers == (item.content_type, item.cache_control)


def _another(bucket: Bucket, item: Item, found: Stored | None) -> RegionFailure:
    checksum = found.checksum if found else ""
    return RegionFailure(
        bucket.region.name,
        f"{item.key} is there with other contents (SHA-256 {checksum or 'unknown'}):"
        " a published file never changes",
        hint="release another version; if this one was not published, find out who wrote the file",
    )


class _Run:
    """The results of all regions so far, collected from several threads."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._outcomes: dict[str, dict[str, Outcome]] = {region.name: {} for region in regions}
        self._failures: dict[str, RegionFailure] = {}
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Start nothing more."""
        self._stopped = True

    def failed(self, region: Region) -> bool:
        return self._stopped or region.name in self._failures

    def fail(self, region: Region, failure: RegionFailure) -> None:
        with self._lock:
            self._failures.setdefault(region.name, failure)

    def done(self, region: Region, item: Item, outcome: Outcome) -> None:
        with self._lock:
            self._outcomes[region.name][item.key] = outcome

    def results(self) -> dict[str, RegionResult]:
        return {
            name: RegionResult(name, outcomes, self._failures.get(name))
            for name, outcomes in self._outcomes.items()
        }
