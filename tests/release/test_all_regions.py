"""Running a task in all regions at the same time."""

import threading

import pytest

from awstoe_release import configuration
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region
from awstoe_release.failure import RegionFailure, regions_by_problem

REGIONS = configuration.load(environment={}).regions[:4]


def test_a_region_that_fails_does_not_stop_the_others() -> None:
    def task(region: Region) -> str:
        if region == REGIONS[1]:
            raise RegionFailure(region.name, "down")
        return region.bucket

    results, failures = in_all_regions(REGIONS, task, at_once=2)
    assert results == {each.name: each.bucket for each in REGIONS if each != REGIONS[1]}
    assert list(results) == [each.name for each in REGIONS if each != REGIONS[1]]
    assert {name: each.message for name, each in failures.items()} == {REGIONS[1].name: "down"}


def test_another_error_is_not_hidden() -> None:
    def task(region: Region) -> None:
        raise ZeroDivisionError(region.name)

    with pytest.raises(ZeroDivisionError):
        in_all_regions(REGIONS, task, at_once=2)


def test_regions_are_worked_on_at_the_same_time() -> None:
    barrier = threading.Barrier(len(REGIONS), timeout=30)
    results, failures = in_all_regions(REGIONS, lambda _: barrier.wait(), at_once=len(REGIONS))
    assert len(results) == len(REGIONS)
    assert failures == {}


def test_regions_with_the_same_problem_are_reported_together() -> None:
    failures = {
        "a": RegionFailure("a", "down", hint="wait"),
        "b": RegionFailure("b", "down", hint="wait"),
        "c": RegionFailure("c", "down"),
    }
    assert regions_by_problem(failures) == {("down", "wait"): ["a", "b"], ("down", None): ["c"]}
