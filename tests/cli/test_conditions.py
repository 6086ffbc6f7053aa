"""The ``if`` of a step: its branches, their effect on the run, and what is logged."""

import pytest

from cli.running import Toe, action, bash

TRUE = {"stringEquals": "a", "value": "a"}
FALSE = {"stringEquals": "a", "value": "b"}


@pytest.mark.parametrize(
    ("condition", "status", "exit_code"),
    [
        (TRUE, "success", 0),
        (FALSE, "skipped", 0),
        ({**TRUE, "then": "Skip"}, "skipped", 0),
        ({**TRUE, "then": "Abort"}, "failed", 1),
        ({**TRUE, "then": "Execute", "else": "Abort"}, "success", 0),
        ({**FALSE, "else": "Execute"}, "success", 0),
        ({**FALSE, "then": "Abort", "else": "Skip"}, "skipped", 0),
        ({**FALSE, "else": "Abort"}, "failed", 1),
        ([{**FALSE, "then": "Execute", "else": "Abort"}], "failed", 1),
        ({"and": [TRUE, {"not": FALSE}, {"or": [FALSE, TRUE]}]}, "success", 0),
        ({"or": [FALSE, {"not": [TRUE]}]}, "skipped", 0),
    ],
)
def test_a_condition_selects_a_branch(
    toe: Toe, condition: object, status: str, exit_code: int
) -> None:
    ended = toe.steps(bash("Step", "touch ran", **{"if": condition}), bash("Next", "true"))
    assert ended.exit_code == exit_code
    assert ended.statuses["Step"] == status
    assert (toe.folder / "ran").exists() == (status == "success")
    assert ("Next" in ended.statuses) == (status != "failed")


def test_a_skipped_step_is_not_counted_and_its_outputs_are_empty_with_a_warning(
    toe: Toe,
) -> None:
    ended = toe.steps(
        bash("Skipped", "echo never", **{"if": FALSE}),
        bash("Next", "echo [{{ build.Skipped.outputs.stdout }}]"),
    )
    assert ended.counts == ("success", 1, 0, 0)
    assert ended.printed("Next") == "[]"
    (warning,) = [line for line in ended.messages if line.startswith("Warning: ")]
    assert "step build.Skipped was skipped" in warning
    assert warning.removeprefix("Warning: ") in ended.stderr
    assert ended.records["documents"][0]["phases"][0]["status"] == "success"


@pytest.mark.parametrize(
    ("on_failure", "counts", "exit_code"),
    [
        ("Abort", ("failed", 1, 1, 0), 1),
        ("Continue", ("failed", 2, 1, 0), 1),
        ("Ignore", ("success", 2, 0, 1), 0),
    ],
)
def test_abort_fails_the_step_and_on_failure_decides_what_follows(
    toe: Toe, on_failure: str, counts: tuple[str, int, int, int], exit_code: int
) -> None:
    ended = toe.steps(
        bash("Step", "true", onFailure=on_failure, **{"if": {**TRUE, "then": "Abort"}}),
        bash("Next", "true"),
    )
    assert ended.exit_code == exit_code
    assert ended.counts == counts
    assert "leads to Abort" in ended.steps["Step"]["failureMessage"]


def test_a_condition_is_evaluated_once_for_all_attempts_and_iterations(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Step",
            "touch seen; echo {{ loop.value }} >> values; [ -e again ] || { touch again; exit 1; }",
            maxAttempts=2,
            loop={"forEach": ["a", "b"]},
            **{"if": {"not": {"fileExists": str(toe.folder / "seen")}}},
        )
    )
    assert ended.exit_code == 0
    assert toe.read("values") == "a\na\nb\n"
    assert len([line for line in ended.messages if "the 'if' of step" in line]) == 1


def test_references_in_conditions_are_resolved(toe: Toe) -> None:
    toe.environment["WORD"] = "a"
    ended = toe.steps(
        bash("First", "echo out"),
        bash("One", "true", **{"if": {"stringEquals": "{{ env:WORD }}", "value": "{{ Word }}"}}),
        bash(
            "Two",
            "true",
            **{"if": {"stringEquals": "out", "value": "{{ build.First.outputs.stdout }}"}},
        ),
        bash("Three", "true", **{"if": {"fileExists": "{{ Folder }}/doc.yml"}}),
        bash(
            "Four",
            "true",
            **{"if": {"numberEquals": 3, "value": "{{ build.First.outputs.stdout }}"}},
        ),
        parameters=[{"Word": {"type": "string", "default": "a"}}],
        constants=[{"Folder": {"type": "string", "value": str(toe.folder)}}],
    )
    assert list(ended.statuses.values()) == ["success"] * 4 + ["skipped"]


def test_a_condition_without_a_value_fails_the_step(toe: Toe) -> None:
    ended = toe.steps(
        bash("Step", "true", **{"if": {"stringEquals": "a", "value": "{{ env:NOT_SET_HERE }}"}})
    )
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert "the 'if' cannot be evaluated" in message
    assert "NOT_SET_HERE" in message


def test_a_false_assertion_fails_and_reports_what_was_compared(toe: Toe) -> None:
    ended = toe.steps(
        bash("First", "echo 41"),
        action(
            "Check", "Assert", {"numberEquals": 42, "value": "{{ build.First.outputs.stdout }}"}
        ),
    )
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert "41" in message
    assert "42" in message


def test_the_inputs_of_a_skipped_step_are_the_empty_string(toe: Toe) -> None:
    ended = toe.steps(
        action("Left", "CreateFile", [{"path": "x"}], **{"if": {"stringIsEmpty": "full"}}),
        bash("After", "echo '<{{ build.Left.inputs[0].path }}>'"),
    )
    assert ended.statuses == {"Left": "skipped", "After": "success"}
    assert ended.printed("After") == "<>"
    assert "step build.Left was not executed" in ended.console
