"""Why an attempt failed, as text for the records."""

import pytest

from awstoe.document.model import Step
from awstoe.engine import failure
from awstoe.engine.failure import Failure
from awstoe.errors import ActionError, AwsError, TimeoutExceeded
from fakes.executions import document


def step(more: str = "") -> Step:
    text = f"{{name: S, action: ExecuteBash, inputs: {{commands: [x]}}{more}}}"
    return document(f"  - name: build\n    steps:\n      - {text}\n").phases[0].steps[0]


LOOP = ", loop: {for: {start: 1, end: 2, updateBy: 1}}"


@pytest.mark.parametrize(
    ("error", "more", "expected"),
    [
        (
            ActionError(
                "no",
                hint="do",
                process_exit_code=3,
                stderr_tail="tail",
                stdout_tail="out",
                stdout_first=True,
            ),
            "",
            Failure("no (do)", 3, "tail", "out", stdout_first=True),
        ),
        (ActionError("no"), "", Failure("no")),
        (AwsError("no", hint="do"), "", Failure("no (do)")),
        (
            TimeoutExceeded("x", stderr_tail="tail"),
            ", timeoutSeconds: 1",
            Failure("the step timed out after 1 second", None, "tail"),
        ),
        (
            TimeoutExceeded("x"),
            f", timeoutSeconds: 20{LOOP}",
            Failure("the loop run timed out after 20 seconds"),
        ),
    ],
)
def test_an_error_becomes_a_failure(error: Exception, more: str, expected: Failure) -> None:
    assert failure.of_error(error, step(more)) == expected


def test_a_defect_of_awstoe_is_called_that() -> None:
    result = failure.of_error(KeyError("k"), step())
    assert result.message.startswith("ExecuteBash ")
    assert "KeyError: 'k'" in result.message
    assert "bug in awstoe" in result.message


def test_the_number_of_the_attempt_is_added_where_there_can_be_several() -> None:
    result = Failure("no", 3, "tail")
    assert failure.counted(result, 1, step()) == result
    counted = failure.counted(result, 2, step(", maxAttempts: 3"))
    assert counted == Failure("attempt 2 of 3: no", 3, "tail")


@pytest.mark.parametrize(
    ("more", "message", "expected"),
    [
        ("", "no", "no"),
        (", disableLogging: true", "", ""),
        (", disableLogging: true", "no", "ExecuteBash failed (disableLogging hides why)"),
    ],
)
def test_a_hidden_step_does_not_reveal_its_failure(more: str, message: str, expected: str) -> None:
    assert failure.shown(message, step(more)) == expected
