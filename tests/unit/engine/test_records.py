"""The records of a run, and what they keep of nested runs."""

import pytest

from awstoe import limits
from awstoe.engine import events
from awstoe.engine.records import Records, Status

TIME = "2022-05-25T14:01:45Z"
PLACE = ("", 0, 0, 0)


def started() -> Records:
    records = Records(limits.OUTPUT_VALUE_BYTES)
    _begin(records, "")
    return records


def _begin(records: Records, run: str) -> None:
    """Start a run and its first step."""
    records.apply(events.RunStarted(run, "id", TIME, []))
    records.apply(events.DocumentStarted(run, 0, TIME))
    records.apply(events.PhaseStarted(run, 0, 0, TIME))
    records.apply(events.StepStarted(run, 0, 0, 0, TIME))


def test_nested_runs_beyond_the_limit_are_dropped_with_all_nested_in_them() -> None:
    records = started()
    extra = 5
    for iteration in range(limits.KEPT_NESTED_RECORDS + extra):
        key = f"/0.0.0#{iteration}"
        _begin(records, key)
        _begin(records, f"{key}/0.0.0")
        records.apply(events.IterationsFinished(*PLACE, iteration, []))
    assert len(records.step(*PLACE).nested) == limits.KEPT_NESTED_RECORDS
    assert len(records.runs) == 1 + 2 * limits.KEPT_NESTED_RECORDS
    assert f"/0.0.0#{limits.KEPT_NESTED_RECORDS}" not in records.runs


def test_a_nested_run_whose_iteration_has_not_finished_is_kept() -> None:
    records = started()
    for iteration in range(limits.KEPT_NESTED_RECORDS + 1):
        _begin(records, f"/0.0.0#{iteration}")
    assert f"/0.0.0#{limits.KEPT_NESTED_RECORDS}" in records.runs


def test_a_nested_run_that_failed_is_kept_for_the_summary() -> None:
    records = started()
    last = limits.KEPT_NESTED_RECORDS + 1
    for iteration in range(last + 1):
        _begin(records, f"/0.0.0#{iteration}")
    records.apply(events.RunFinished(f"/0.0.0#{last}", TIME, Status.FAILED, ""))
    records.apply(events.IterationsFinished(*PLACE, last - 1, []))
    assert len(records.step(*PLACE).nested) == limits.KEPT_NESTED_RECORDS + 1
    assert f"/0.0.0#{last}" in records.runs


def test_a_new_attempt_forgets_the_nested_runs_of_the_one_before() -> None:
    records = started()
    for key in ("/0.0.0#0", "/0.0.0#0/0.0.0", "/0.0.0#1"):
        _begin(records, key)
    records.apply(events.AttemptStarted(*PLACE, 2))
    assert list(records.runs) == [""]
    assert records.step(*PLACE).nested == []


def test_a_resumed_run_has_no_end_time_until_it_finishes() -> None:
    records = started()
    records.apply(events.RunInterrupted("", TIME, 15))
    assert records.runs[""].end_time == TIME
    records.apply(events.RunResumed("", TIME))
    assert records.runs[""].end_time == ""
    assert records.runs[""].interrupted_by is None


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (events.RunStarted("", "id", TIME, []), True),
        (events.RunStarted("/0.0.0", "id", TIME, []), False),
        (events.DocumentStarted("", 0, TIME), True),
        (events.DocumentStarted("", 1, TIME), False),
        (events.PhaseStarted("", 0, 0, TIME), True),
        (events.PhaseStarted("", 0, 1, TIME), False),
        (events.StepStarted(*PLACE, TIME), True),
        (events.StepStarted("", 0, 0, 1, TIME), False),
        (events.AttemptStarted(*PLACE, 1), False),
    ],
)
def test_a_start_is_known_once_it_has_a_record(event: events.Event, *, known: bool) -> None:
    assert started().has_started(event) is known


def test_inputs_are_parsed_once_for_all_references_to_them() -> None:
    records = started()
    step = records.step(*PLACE)
    assert step.input_values() == []
    records.apply(events.InputsResolved(*PLACE, '[{"a":"1"}]'))
    assert step.input_values() == [{"a": "1"}]
    assert step.input_values() is step.input_values()
    records.apply(events.InputsResolved(*PLACE, '[{"a":"2"}]'))
    assert step.input_values() == [{"a": "2"}]


def test_a_run_has_no_plan_before_the_runner_sets_it() -> None:
    with pytest.raises(LookupError, match="has no plan"):
        started().plan("")
