"""One release: everything its steps know about it, and what a step returns."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from awstoe_release import plan
from awstoe_release.configuration import FOLDER, Channel, Configuration, Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import Item
from awstoe_release.publishing import Publisher
from awstoe_release.state import RegionRecord, State, sha256_of

REPOSITORY: Final = os.path.dirname(FOLDER)
"""The folder with the sources."""


class StepResult(NamedTuple):
    """What a step returns."""

    facts: Mapping[str, object] = {}
    """What it found or made, for the JSON files."""
    files: Sequence[str] = ()
    """The files it made. If one is changed or missing, the step runs again."""
    regions: Mapping[str, RegionRecord] = {}
    """How it ended in each region, for the steps that work on regions."""
    failures: Mapping[str, RegionFailure] = {}
    """The regions in which it failed."""

    def digests(self, folder: str) -> Mapping[str, str]:
        """Return the SHA-256 of the files, by their paths inside ``folder``."""
        return {os.path.relpath(path, folder): sha256_of(path) for path in self.files}


class Release(NamedTuple):
    """One release of one version."""

    configuration: Configuration
    version: str
    commit: str
    """The commit to release, 40 digits."""
    epoch: int
    """The commit's time, seconds since 1970: the date of everything made from it."""
    channel_name: str
    targets: tuple[str, ...]
    folder: str
    """``out/release-<version>``."""
    keys: str
    """The folder of keys."""
    state: State
    publisher: Publisher
    log: Callable[[str], None]
    sources: str = REPOSITORY
    """The source tree to release."""
    files: str = ""
    """A folder with finished programs (``<os>/<arch>/<file>``) to release as they are."""
    older: str = ""
    """A folder with programs of an older version, as published, to prove the update with."""
    only: tuple[str, ...] = ()
    """Regions to work on; all if empty."""
    dry_run: bool = False
    rehearsal: bool = False
    """Whether the keys are throw-away keys and the buckets are on this machine."""

    @property
    def trust(self) -> str:
        """The folder that is baked into the programs: public keys and the root of trust."""
        return os.path.join(self.keys, "trust")

    @property
    def tree(self) -> str:
        """The folder that has every published file under its key."""
        return os.path.join(self.folder, "tree")

    @property
    def channel(self) -> Channel:
        """The channel that the version is promoted to."""
        return self.configuration.channel(self.channel_name)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions to work on."""
        if not self.only:
            return self.configuration.regions
        return tuple(self.configuration.region(name) for name in self.only)

    @property
    def regions_at_once(self) -> int:
        """The number of regions to send requests to at the same time."""
        return self.configuration.publish.concurrency

    def list_items(self) -> tuple[Item, ...]:
        """Return every object, in the order of publishing.

        Reads the tree: the list has the numbered metadata files that exist now.
        """
        return plan.items(
            self.configuration,
            version=self.version,
            channel=self.channel,
            tree=self.tree,
            targets=self.targets,
        )

    def regions_after(self, step: str) -> tuple[Region, ...]:
        """Return the regions in which a step succeeded; all of them in a dry run.

        Raises:
            ReleaseFailure: It succeeded in no region, or did not run.
        """
        if self.dry_run:
            return self.regions
        results = self.state.regions(step)
        found = tuple(r for r in self.regions if r.name in results and results[r.name].passed)
        if not found:
            raise ReleaseFailure(
                f"the step {step} succeeded in no region",
                hint=f"run it again: awstoe-release run --from {step}",
            )
        return found

    def program(self, target: str) -> str:
        """Return the path of a target's program in the tree."""
        return os.path.join(self.tree, *plan.program_key(self.version, target).split("/"))

    def document(self, name: str) -> str:
        """Return the path of a file in the version's folder of the tree."""
        return os.path.join(self.tree, self.version, *name.split("/"))

    def built(self, target: str) -> str:
        """Return the path of a target's program as built, before Windows' signature."""
        name = os.path.basename(plan.program_key(self.version, target))
        return os.path.join(self.folder, "built", *target.split("/"), name)
