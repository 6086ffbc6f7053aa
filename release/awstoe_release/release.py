"""One release: everything that its steps know about it, and what a step gives back."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from awstoe_release import plan
from awstoe_release.configuration import FOLDER, Channel, Configuration, Region
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import Item
from awstoe_release.publishing import Publisher
from awstoe_release.state import State, sha256_of

REPOSITORY: Final = os.path.dirname(FOLDER)
"""The folder with the sources."""


class Made(NamedTuple):
    """What a step gives back."""

    result: Mapping[str, object]
    """For the JSON files."""
    files: Sequence[str] = ()
    """The files that it made; when one is changed or gone, the step runs again."""
    failures: Mapping[str, RegionFailure] = {}
    """The regions where it failed."""

    def digests(self, folder: str) -> Mapping[str, str]:
        """SHA-256 of the files, by their paths inside ``folder``."""
        return {os.path.relpath(path, folder): sha256_of(path) for path in self.files}


class Release(NamedTuple):
    """One release of one version."""

    configuration: Configuration
    version: str
    commit: str
    """The commit that is released, 40 digits."""
    epoch: int
    """The commit's time, seconds since 1970: the date of everything that is made from it."""
    channel_name: str
    targets: tuple[str, ...]
    folder: str
    """``out/release-<version>``."""
    keys: str
    """The folder of keys."""
    state: State
    publisher: Publisher
    say: Callable[[str], None]
    sources: str = REPOSITORY
    """The tree that is released."""
    files: str = ""
    """A folder with finished programs (``<os>/<arch>/<file>``), to be released as they are."""
    older: str = ""
    """A folder with programs of an older version, as published, which shall update themselves."""
    only: tuple[str, ...] = ()
    """Regions to work on; all when empty."""
    dry_run: bool = False
    rehearsal: bool = False
    """Whether the keys are throw-away ones and the buckets on this machine."""

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
        """What the version is promoted to."""
        return self.configuration.channel(self.channel_name)

    @property
    def items(self) -> tuple[Item, ...]:
        """Every object, in the order of publishing."""
        return plan.items(
            self.configuration,
            version=self.version,
            channel=self.channel,
            tree=self.tree,
            targets=self.targets,
        )

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions to work on."""
        if not self.only:
            return self.configuration.regions
        return tuple(self.configuration.region(name) for name in self.only)

    def regions_after(self, step: str) -> tuple[Region, ...]:
        """The regions that came through a step, which must have run.

        Raises:
            ReleaseFailure: There are none.
        """
        passed = self.state.result(step).get("regions", {})
        found = tuple(r for r in self.regions if passed.get(r.name, {}).get("passed"))
        if not found and not self.dry_run:
            raise ReleaseFailure(
                f"no region came through the step {step}", hint=f"run it again: --from {step}"
            )
        return self.regions if self.dry_run else found

    def merged(
        self, step: str, regions: Mapping[str, Mapping[str, object]]
    ) -> dict[str, Mapping[str, object]]:
        """A step's results by region, those of an earlier run with other regions included."""
        return {**self.state.result(step).get("regions", {}), **regions}

    def program(self, target: str) -> str:
        """The path of a target's program in the tree."""
        return os.path.join(self.tree, *plan.program_key(self.version, target).split("/"))

    def document(self, name: str) -> str:
        """The path of a file in the version's folder of the tree."""
        return os.path.join(self.tree, self.version, *name.split("/"))

    def built(self, target: str) -> str:
        """The path of a target's program as the build made it, before Windows' signature."""
        name = os.path.basename(plan.program_key(self.version, target))
        return os.path.join(self.folder, "built", *target.split("/"), name)
