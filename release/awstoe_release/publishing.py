"""Brings objects into all regions: in parallel, phase by phase, sending only what is not there.

A region that fails is told and left alone from then on; the others go on. What is there already is
found by its checksum, so a second run, or one after an interruption, sends only what is missing.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Final, NamedTuple

from awstoe_release import contents
from awstoe_release.configuration import Publish, Region
from awstoe_release.contents import Bandwidth, Content
from awstoe_release.failure import RegionFailure
from awstoe_release.plan import Item, Phase
from awstoe_release.progress import Progress
from awstoe_release.s3 import ObjectThere, Sessions, Store, Stored

_MIB: Final = 1 << 20


class Outcome(StrEnum):
    """What became of one object in one region."""

    SENT = "sent"
    COPIED = "copied"
    PRESENT = "present"
    MISSING = "missing"
    """Not there, and not sent, as this is a dry run."""


class RegionResult(NamedTuple):
    """What became of a region."""

    region: str
    outcomes: Mapping[str, Outcome]
    """By key."""
    failure: RegionFailure | None

    def count(self, outcome: Outcome) -> int:
        """How many objects had this outcome."""
        return sum(each is outcome for each in self.outcomes.values())


class Publisher:
    """Compares and sends; one for all regions, so that limits hold for all together."""

    def __init__(self, publish: Publish, *, version: str, dry_run: bool = False) -> None:
        self._publish = publish
        self._dry_run = dry_run
        self._metadata = {"version": version}
        self._sessions = Sessions(publish)
        self.bandwidth = Bandwidth(publish.bandwidth_mib_per_second * _MIB)
        self._stores: dict[str, Store] = {}
        self._contents: dict[str, Content] = {}
        self._lock = threading.Lock()

    def store(self, region: Region) -> Store:
        """The bucket of a region.

        Raises:
            RegionFailure: There are no credentials of that name.
        """
        with self._lock:
            if region.name not in self._stores:
                self._stores[region.name] = self._sessions.open(region)
            return self._stores[region.name]

    def content(self, path: str) -> Content:
        """A local file's checksums, taken once.

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
        """Bring ``items`` into ``regions``, phase after phase.

        Args:
            regions: Where to.
            items: The objects.
            what: What this is called in the progress line.

        Returns:
            The result of each region, by name.

        Raises:
            ReleaseFailure: A local file cannot be read: nothing was sent.
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
                    # Object by object over all regions, so that no region waits for another's.
                    tasks = [
                        pool.submit(self._bring, run, region, item, progress)
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

    def each(
        self, regions: Sequence[Region], ask: Callable[[Region], object]
    ) -> dict[str, RegionFailure]:
        """Do something in all regions at once; gives the failures by region."""
        failures: dict[str, RegionFailure] = {}

        def one(region: Region) -> None:
            try:
                ask(region)
            except RegionFailure as failure:
                failures[region.name] = failure

        with ThreadPoolExecutor(self._publish.concurrency) as pool:
            list(pool.map(one, regions))
        return failures

    def _bring(self, run: "_Run", region: Region, item: Item, progress: Progress) -> None:
        """Bring one object into one region, unless that has failed before."""
        if run.failed(region):
            return
        try:
            outcome = self._compare_and_send(self.store(region), item, progress)
        except RegionFailure as failure:
            run.fail(region, failure)
            return
        run.done(region, item, outcome)
        progress.file_done()

    def _compare_and_send(self, store: Store, item: Item, progress: Progress) -> Outcome:
        """Look, and send what is not there."""
        content = self.content(item.path)
        found = store.look(item.key)
        if found is not None and self._is(found, content, item):
            progress.sent(content.size)
            return Outcome.PRESENT
        if found is not None and item.immutable:
            raise _another(store, item, found)
        if self._dry_run:
            return Outcome.MISSING
        if item.source:
            original = store.look(item.source)
            if original is None or not original.holds(content):
                raise RegionFailure(
                    store.region.name,
                    f"{item.source} is not what was published: {item.key} is not changed",
                    hint=f"somebody wrote to {store.region.bucket}: find out who before going on",
                )
            store.copy(item, content, original, self._metadata)
            progress.sent(content.size)
            return Outcome.COPIED
        try:
            store.put(
                item,
                content,
                metadata=self._metadata,
                bandwidth=self.bandwidth,
                sent=progress.sent,
            )
        except ObjectThere:
            # Written by a try whose answer was lost, or by somebody else: look again.
            found = store.look(item.key)
            if found is None or not self._is(found, content, item):
                raise _another(store, item, found) from None
        return Outcome.SENT

    @staticmethod
    def _is(found: Stored, content: Content, item: Item) -> bool:
        """Whether a region has exactly this; of a pointer the headers count as well."""
        if not found.holds(content):
            return False
        told = (found.content_type, found.cache_control)
        return item.immutable or told == (item.content_type, item.cache_control)


def _another(store: Store, item: Item, found: Stored | None) -> RegionFailure:
    checksum = found.checksum if found else ""
    return RegionFailure(
        store.region.name,
        f"{item.key} is there with other contents (SHA-256 {checksum or 'unknown'}):"
        " a published file never changes",
        hint="release another version; if nobody published this one, find out who wrote it",
    )


class _Run:
    """What became of each region so far; filled from several threads."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._outcomes: dict[str, dict[str, Outcome]] = {region.name: {} for region in regions}
        self._failures: dict[str, RegionFailure] = {}
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Let nothing begin any more."""
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
