"""How a release step can end besides success: with a failure, or skipped."""

from collections.abc import Mapping

from awstoe.errors import AwstoeError


class ReleaseFailure(AwstoeError):
    """The release cannot continue."""


class RegionFailure(ReleaseFailure):
    """Something failed in one region; the other regions are not affected.

    Attributes:
        region: The region's name.
    """

    def __init__(self, region: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.region = region


class Skip(Exception):
    """A step has nothing to do. The text says why."""


def regions_by_problem(
    failures: Mapping[str, RegionFailure],
) -> dict[tuple[str, str | None], list[str]]:
    """Return the regions of each message and hint, to report the same problem once."""
    problems: dict[tuple[str, str | None], list[str]] = {}
    for name, failure in failures.items():
        problems.setdefault((failure.message, failure.hint), []).append(name)
    return problems
