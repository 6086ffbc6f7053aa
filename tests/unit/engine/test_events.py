"""Events as journal entries."""

import json

import pytest

from awstoe.engine import events
from awstoe.engine.events import StepAddress

REBOOT: list[object] = ["RebootAsked", "", 0, 0, 0, "boot"]
RESUMED: list[object] = ["RunResumed", "", "now"]
FINISHED: list[object] = ["RunFinished", "", "now", "success", ""]


def test_an_entry_read_back_is_the_event() -> None:
    event = events.IterationsFinished(*StepAddress("", 0, 1, 2), 3, [{"stdout": "x"}], capped=True)
    assert events.from_entry(json.loads(json.dumps(events.to_entry(event)))) == event


@pytest.mark.parametrize(
    "entry",
    [
        ["Invented"],
        ["RunResumed", ""],
        ["RunResumed", "", "now", "more"],
        ["ActionStarted", "", 0, 0, 0, 1, None],
    ],
)
def test_an_entry_that_this_version_does_not_know_is_an_error(entry: list[object]) -> None:
    with pytest.raises(ValueError, match=f"unknown journal entry '{entry[0]}'"):
        events.from_entry(entry)


@pytest.mark.parametrize(
    ("entries", "waits"),
    [
        ([], False),
        ([RESUMED], False),
        ([REBOOT], True),
        ([REBOOT, RESUMED], False),
        ([REBOOT, FINISHED], False),
        ([REBOOT, RESUMED, REBOOT], True),
        ([REBOOT, ["RunFinished", "/0.0.0", "now", "success", ""]], True),
        ([["Invented"], REBOOT, ["Invented", ""]], True),
        ([REBOOT, ["RunFinished", "", "of another version"]], False),
    ],
)
def test_a_run_waits_for_a_reboot_until_it_resumes_or_finishes(
    entries: list[list[object]], *, waits: bool
) -> None:
    assert events.waits_for_reboot(entries) is waits


@pytest.mark.parametrize(
    ("entries", "finished"),
    [
        ([], False),
        ([REBOOT, RESUMED], False),
        ([FINISHED], True),
        ([["Invented"], ["RunFinished", "", "of another version"]], True),
        ([["RunFinished", "/0.0.0", "now", "success", ""]], False),
    ],
)
def test_a_journal_says_that_its_run_has_finished(
    entries: list[list[object]], *, finished: bool
) -> None:
    assert events.has_finished(entries) is finished
