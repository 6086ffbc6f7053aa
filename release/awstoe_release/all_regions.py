"""Runs one task in all regions at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure

T = TypeVar("T")


def in_all_regions(
    regions: Sequence[Region], task: Callable[[Region], T], *, at_once: int
) -> tuple[dict[str, T], dict[str, RegionFailure]]:
    """Run a task in several regions at once. A region that fails does not stop the others.

    Args:
        regions: Where.
        task: What to do in a region.
        at_once: The number of regions to work on at the same time.

    Returns:
        The task's results and the failures, each by region in the order of ``regions``.
    """
    results: dict[str, T] = {}
    failures: dict[str, RegionFailure] = {}

    def run(region: Region) -> None:
        try:
            results[region.name] = task(region)
        except RegionFailure as failure:
            failures[region.name] = failure

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run, regions))
    names = [region.name for region in regions]
    return (
        {name: results[name] for name in names if name in results},
        {name: failures[name] for name in names if name in failures},
    )
