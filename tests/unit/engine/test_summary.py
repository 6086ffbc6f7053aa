"""The summary of a run."""

import pytest

from awstoe.engine import events
from awstoe.engine.records import Records, RunRecord, Status
from awstoe.engine.summary import Place, StepFailure, summary
from fakes.executions import TIME, document, plan

DOCUMENT = document(
    """
  - name: build
    steps:
      - {name: A, action: ExecuteBash, inputs: {commands: [x]}}
      - {name: B, action: ExecuteBash, inputs: {commands: [x]}}
"""
)
PLAN = plan(DOCUMENT)


def record(*steps: Status, ended: Status | None = Status.SUCCESS) -> RunRecord:
    """The records of a run whose steps finished like this; ``RUNNING`` has not finished."""
    records = Records(1000)
    records.apply(events.RunStarted("", "id-1", TIME, []))
    records.apply(events.DocumentStarted("", 0, TIME))
    records.apply(events.PhaseStarted("", 0, 0, TIME))
    for index, status in enumerate(steps):
        address = ("", 0, 0, index)
        records.apply(events.StepStarted(*address, TIME))
        if status is not Status.RUNNING:
            failed = status is Status.FAILED
            message, code, tail = (f"no {index}", 3, "tail") if failed else ("", None, "")
            records.apply(
                events.StepFinished(
                    *address, TIME, status, message, code, tail, 1, [], capped=False, hidden=False
                )
            )
    if ended is not None:
        records.apply(events.DocumentFinished("", 0, TIME, ended, ""))
        records.apply(events.RunFinished("", TIME, ended, ""))
    return records.runs[""]


OK, BAD, IGNORED, SKIPPED = (
    Status.SUCCESS,
    Status.FAILED,
    Status.IGNORED_FAILURE,
    Status.SKIPPED,
)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (record(OK, OK), ("success", 0, 2, 0, "")),
        (record(OK, SKIPPED), ("success", 0, 1, 0, "")),
        (
            record(IGNORED, OK, ended=Status.SUCCESS_WITH_IGNORED_FAILURE),
            ("success", 0, 2, 1, ""),
        ),
        (
            record(BAD, ended=BAD),
            (
                "failed",
                1,
                1,
                0,
                "Document doc.yml failed! Phase 'build', step 'A': no 0\n"
                "Last lines of stderr:\ntail",
            ),
        ),
        (
            record(BAD, BAD, ended=BAD),
            (
                "failed",
                2,
                2,
                0,
                "Document doc.yml failed! Phase 'build', step 'A': no 0\n"
                "Last lines of stderr:\ntail\n"
                "Phase 'build', step 'B': no 1\n"
                "Last lines of stderr:\ntail",
            ),
        ),
        (record(OK, Status.RUNNING, ended=None), ("running", 0, 1, 0, "")),
    ],
)
def test_the_summary_has_the_status_the_counts_and_the_message(
    run: RunRecord, expected: tuple[str, int, int, int, str]
) -> None:
    result = summary(run, PLAN, log_url="/logs").as_json()
    keys = (
        "status",
        "failedStepCount",
        "executedStepCount",
        "ignoredFailedStepCount",
        "failureMessage",
    )
    assert tuple(result[key] for key in keys) == expected
    assert (result["executionId"], result["logUrl"]) == ("id-1", "/logs")


def test_a_stopped_run_has_failed_in_the_step_that_was_running() -> None:
    result = summary(record(OK, Status.RUNNING, ended=None), PLAN, log_url="", reason="Stopped.")
    assert result.status is Status.FAILED
    assert result.stopped == "Phase 'build', step 'B': Stopped."
    assert result.message == f"Document doc.yml failed! {result.stopped}"
    assert (result.executed, result.failed) == (2, 1)
    assert result.as_json()["failures"] == [
        {
            "document": "doc.yml",
            "phase": "build",
            "step": "B",
            "exitCode": None,
            "message": "Stopped.",
            "stderrTail": "",
            "stdoutTail": "",
            "path": [{"document": "doc.yml", "phase": "build", "step": "B", "iteration": ""}],
        }
    ]


def test_a_run_stopped_between_steps_has_no_failed_step() -> None:
    result = summary(record(OK, ended=None), PLAN, log_url="", reason="Stopped.")
    assert (result.status, result.executed, result.failed) == (Status.FAILED, 1, 0)
    assert result.as_json()["failures"] == []


def test_failures_are_listed_with_exit_code_and_standard_error() -> None:
    result = summary(record(OK, BAD, ended=BAD), PLAN, log_url="")
    assert result.failures == (StepFailure(Place("doc.yml", "build", "B"), 3, "no 1", "tail"),)
    assert result.as_json()["failures"] == [
        {
            "document": "doc.yml",
            "phase": "build",
            "step": "B",
            "exitCode": 3,
            "message": "no 1",
            "stderrTail": "tail",
            "stdoutTail": "",
            "path": [{"document": "doc.yml", "phase": "build", "step": "B", "iteration": ""}],
        }
    ]


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (("exit code 3", "one\ntwo", "three"), "exit code 3|stderr:|one|two|stdout:|three"),
        (("exit code 3: no", "no", "half\ndone"), "exit code 3: no|stdout:|half|done"),
        (("exit code 3: line 1: no", "/tmp/s.sh: line  1: no", ""), "exit code 3: line 1: no"),
        (("exit code 3: no", "no\nyes", "", True), "exit code 3: no|stderr:|no|yes"),
        (("exit code 3: o", "e1\ne2", "o\np", True), "exit code 3: o|stdout:|o|p|stderr:|e1|e2"),
    ],
)
def test_the_more_telling_stream_comes_first_and_nothing_is_said_twice(
    failure: tuple[str, str, str], text: str
) -> None:
    place = Place("doc.yml", "build", "S")
    expected = text.replace("|std", "\nLast lines of std").replace("|", "\n")
    assert StepFailure(place, 3, *failure).text() == f"Phase 'build', step 'S': {expected}"


def test_the_outputs_of_a_nested_run_are_in_the_order_of_awstoe() -> None:
    assert summary(record(OK), PLAN, log_url="").nested_outputs() == {
        "executedStepCount": 1,
        "executionId": "id-1",
        "failedStepCount": 0,
        "failureMessage": "",
        "ignoredFailedStepCount": 0,
        "logUrl": "",
        "status": "success",
    }
