"""Where the sources are from: the commit, and its time, which is the time of the build."""

import os
from datetime import UTC, datetime
from typing import NamedTuple

from awstoe_build import commands
from awstoe_build.failure import BuildFailure


class Origin(NamedTuple):
    """What is known of the sources."""

    commit: str | None
    """Its hash; with ``+changes`` if the tree has others than the commit's. None without git."""
    epoch: int
    """Its time, in seconds since 1970."""

    def date(self) -> str:
        """The time for a person, in ISO 8601, UTC."""
        return datetime.fromtimestamp(self.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(folder: str) -> Origin:
    """Ask git, or take the time from SOURCE_DATE_EPOCH where there is none.

    Raises:
        BuildFailure: The time is not known.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        commit, time = _git(folder, "log", "-1", "--format=%H %ct").split()
    except BuildFailure as failure:
        if given.isdigit():
            return Origin(None, int(given))
        raise BuildFailure(
            f"the time of the commit is not known: {failure.message}",
            hint="without git, give it as SOURCE_DATE_EPOCH (seconds since 1970)",
        ) from failure
    changed = _git(folder, "status", "--porcelain", "--", "src", "build", "requirements.lock")
    return Origin(commit + ("+changes" if changed else ""), int(given if given.isdigit() else time))


def _git(folder: str, *arguments: str) -> str:
    command = ["git", "-C", folder, *arguments]
    return commands.output_of(command, environment=commands.clean_environment()).strip()
