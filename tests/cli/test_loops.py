"""Loops: values, names, outputs, failures, and how much of a long loop is logged and kept."""

import json

import pytest

from cli.running import Json, Toe, action, bash


def loop(toe: Toe, what: Json, script: str = "echo {{ loop.index }}:{{ loop.value }}") -> list[str]:
    ended = toe.steps(bash("Loop", script, loop=what))
    assert ended.exit_code == 0, ended.stderr
    outputs = ended.outputs("Loop")
    return outputs[0]["stdout"].split("\n") if outputs else []


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"for": {"start": 1, "end": 3, "updateBy": 1}}, ["0:1", "1:2", "2:3"]),
        ({"for": {"start": 3, "end": -1, "updateBy": -2}}, ["0:3", "1:1", "2:-1"]),
        ({"for": {"start": 5, "end": 5, "updateBy": 1}}, ["0:5"]),
        ({"forEach": ["a", "b b"]}, ["0:a", "1:b b"]),
        ({"forEach": {"list": "a,b,c"}}, ["0:a", "1:b", "2:c"]),
        ({"forEach": {"list": "a;b,c", "delimiter": ";"}}, ["0:a", "1:b,c"]),
        ({"forEach": {"list": "a\nb\n", "delimiter": "\n"}}, ["0:a", "1:b"]),
    ],
)
def test_a_loop_runs_once_per_value(toe: Toe, what: Json, expected: list[str]) -> None:
    assert loop(toe, what) == expected


def test_an_empty_list_runs_nothing_and_succeeds(toe: Toe) -> None:
    assert loop(toe, {"forEach": {"list": ""}}) == []


def test_a_named_loop_can_be_referred_to_by_its_name(toe: Toe) -> None:
    values = loop(
        toe,
        {"name": "Fruit", "forEach": ["fig"]},
        "echo {{ Fruit.index }} {{ Fruit.value }} {{ loop.value }}",
    )
    assert values == ["0 fig fig"]


def test_loop_references_in_a_step_without_loop_stay_as_they_are(toe: Toe) -> None:
    ended = toe.steps(bash("Plain", "echo '{{ loop.value }} {{ loop.index }}'"))
    assert ended.printed("Plain") == "{{ loop.value }} {{ loop.index }}"


def test_the_list_is_read_once_before_the_first_iteration(toe: Toe) -> None:
    ended = toe.steps(
        bash("List", "seq 1 3"),
        bash(
            "Loop",
            "echo got {{ loop.value }}",
            loop={"forEach": {"list": "{{ build.List.outputs.stdout }}", "delimiter": "\n"}},
        ),
    )
    assert ended.printed("Loop") == "got 1\ngot 2\ngot 3"


def test_outputs_are_joined_per_key_and_operation(toe: Toe) -> None:
    for name in "ab":
        toe.write(f"{name}.1", f"{name} one")
        toe.write(f"{name}.2", f"{name} two")
    ended = toe.steps(
        action(
            "Read",
            "ReadFile",
            [{"path": f"{toe.folder}/{{{{ loop.value }}}}.{n}"} for n in (1, 2)],
            loop={"forEach": ["a", "b"]},
        )
    )
    assert ended.outputs("Read") == [{"content": "a one\nb one"}, {"content": "a two\nb two"}]


def test_a_failing_iteration_stops_the_loop_and_is_reported(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Loop",
            "echo {{ loop.value }} >> seen; echo out; [ {{ loop.value }} != c ]",
            loop={"forEach": ["a", "b", "c", "d"]},
        )
    )
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 1, 1, 0)
    assert ended.summary["failures"][0]["message"].startswith("iteration 2 ('c'): ")
    assert toe.read("seen") == "a\nb\nc\n"


def test_a_retry_starts_again_from_the_first_iteration(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Loop",
            "echo {{ loop.value }} >> seen; echo {{ loop.value }};"
            " [ {{ loop.value }} != b ] || [ -e again ] || { touch again; exit 1; }",
            loop={"forEach": ["a", "b", "c"]},
            maxAttempts=2,
        )
    )
    assert ended.exit_code == 0
    assert toe.read("seen") == "a\nb\na\nb\nc\n"
    assert ended.printed("Loop") == "a\nb\nc"


def test_the_record_shows_the_loop_of_the_document(toe: Toe) -> None:
    what = {"name": "Fruit", "forEach": ["{{ Kind }}"]}
    ended = toe.steps(
        bash("Loop", "echo {{ Fruit.value }}", loop=what),
        parameters=[{"Kind": {"type": "string", "default": "fig"}}],
    )
    assert ended.steps["Loop"]["loop"] == what
    assert ended.printed("Loop") == "fig"


def test_a_long_loop_is_logged_in_full_up_to_a_thousand_iterations_then_at_intervals(
    toe: Toe,
) -> None:
    ended = toe.steps(
        action(
            "Loop",
            "Assert",
            {"stringEquals": "x", "value": "x"},
            loop={"for": {"start": 1, "end": 20500, "updateBy": 1}},
        )
    )
    assert ended.exit_code == 0
    messages = [line for line in ended.messages if line.startswith("Executor: ")]
    assert len([line for line in messages if " of the loop of step Loop" in line]) == 1000
    progress = [line for line in messages if " of 20500" in line]
    assert len(progress) == 3
    assert progress[1:] == [
        "Executor: iteration 10000 of 20500",
        "Executor: iteration 20000 of 20500",
    ]
    assert len((toe.state / "journal.jsonl").read_bytes()) < 200_000


def test_a_failing_iteration_of_a_long_loop_is_always_logged(toe: Toe) -> None:
    ended = toe.steps(
        action(
            "Loop",
            "Assert",
            {"numberLessThan": 1500, "value": "{{ loop.index }}"},
            loop={"for": {"start": 1, "end": 1000000, "updateBy": 1}},
        )
    )
    assert ended.exit_code == 1
    assert ended.summary["failures"][0]["message"].startswith("iteration 1500 ('1501'): ")
    assert any("iteration 1500 ('1501'): " in line for line in ended.messages)


def test_a_huge_loop_is_counted_lazily(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Loop",
            "[ {{ loop.index }} -lt 2 ]",
            loop={"for": {"start": 0, "end": 10**17, "updateBy": 1}},
        )
    )
    assert ended.summary["failures"][0]["message"].startswith("iteration 2 ('2'): ExecuteBash: ")


def test_collated_outputs_are_capped_with_a_warning(toe: Toe) -> None:
    toe.environment["AWSTOE_STDOUT_LIMIT"] = "100"
    ended = toe.steps(
        bash(
            "Loop",
            "printf %030d {{ loop.value }}",
            loop={"for": {"start": 1, "end": 9, "updateBy": 1}},
        ),
        bash(
            "Use",
            "true",
            **{"if": {"stringEquals": "", "value": "{{ build.Loop.outputs.stdout }}"}},
        ),
    )
    assert ended.printed("Loop").split("\n") == [f"{n:030d}" for n in (1, 2, 3)]
    warnings = [line for line in ended.messages if line.startswith("Warning: ")]
    assert any("the outputs of the loop exceed 100 bytes" in line for line in warnings)
    assert any("step build.Loop printed more" in line for line in warnings)


def test_a_limit_above_the_default_also_applies_to_loops(toe: Toe) -> None:
    toe.environment["AWSTOE_STDOUT_LIMIT"] = "5000000"
    ended = toe.steps(
        bash("Loop", "head -c 1500000 /dev/zero | tr '\\0' x", loop={"forEach": ["a", "b"]})
    )
    assert len(ended.printed("Loop")) == 3_000_001
    assert not [line for line in ended.messages if line.startswith("Warning: ")]


def test_a_condition_with_loop_references_is_evaluated_per_iteration(toe: Toe) -> None:
    ended = toe.steps(
        action(
            "Loop",
            "Assert",
            {"stringEquals": "{{ loop.value }}", "value": "a"},
            loop={"forEach": ["a", "a", "b"]},
        )
    )
    assert ended.summary["failures"][0]["message"].startswith("iteration 2 ('b'): ")
    assert json.loads(ended.steps["Loop"]["outputs"]) == []


def test_a_failed_loop_keeps_what_its_successful_iterations_printed(toe: Toe) -> None:
    ended = toe.steps(
        bash(
            "Some",
            "echo '{{ loop.value }}'; [ '{{ loop.value }}' != c ]",
            loop={"forEach": ["a", "b", "c", "d"]},
            onFailure="Continue",
        ),
        bash("After", "echo '<{{ build.Some.outputs.stdout }}>'"),
    )
    assert ended.statuses == {"Some": "failed", "After": "success"}
    assert ended.printed("Some") == "a\nb"
    assert ended.printed("After") == "<a\nb>"
