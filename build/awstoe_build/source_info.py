"""Reads the commit of the sources and its time, which becomes the time of the build."""

import os
from datetime import UTC, datetime
from typing import NamedTuple

from awstoe_build import commands
from awstoe_build.failure import BuildFailure


class Origin(NamedTuple):
    """The commit that the sources are from."""

    commit: str | None
    """Its hash, with ``+changes`` if the tree has uncommitted changes. None without git."""
    epoch: int
    """Its time, in seconds since 1970."""

    def date(self) -> str:
        """Return the time as ISO 8601 in UTC."""
        return datetime.fromtimestamp(self.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(folder: str) -> Origin:
    """Read the commit from git. Without git, take the time from SOURCE_DATE_EPOCH.

    Raises:
        BuildFailure: Neither is available.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        commit, time = _git(folder, "log", "-1", "--format=%H %ct").split()
    except BuildFailure as failure:
        if given.isdigit():
            return Origin(None, int(given))
        raise BuildFailure(
            f"cannot read the time of the commit: {failure.message}",
            hint="without git, set SOURCE_DATE_EPOCH (seconds since 1970)",
        ) from failure
    changed = _git(folder, "status", "--porcelain", "--", "src", "build", "requirements.lock")
    return Origin(commit + ("+changes" if changed else ""), int(given if given.isdigit() else time))


def _git(folder: str, *arguments: str) -> str:
    command = ["git", "-C", folder, *arguments]
    return commands.output_of(command, environment=commands.clean_environment()).strip()
