"""ExecuteDocument: nested documents, their inputs, their depth, and their failures."""

import json
from typing import Any

import pytest

from cli.running import Step, Toe, action, bash, phases

SUMMARY_KEYS = [
    "executedStepCount",
    "executionId",
    "failedStepCount",
    "failureMessage",
    "ignoredFailedStepCount",
    "logUrl",
    "status",
]


def execute(document: str, name: str = "Nested", **keys: Any) -> Step:  # noqa: ANN401 - JSON
    inputs = {"document": document, **keys.pop("inputs", {})}
    return action(name, "ExecuteDocument", inputs, timeoutSeconds=-1, **keys)


def test_a_nested_document_runs_and_returns_its_summary(toe: Toe) -> None:
    toe.document(bash("Inner", "echo inside"), bash("Skipped", "true"), name="child.yml")
    ended = toe.steps(execute("child.yml"), bash("After", "true"))
    assert ended.exit_code == 0
    assert ended.counts == ("success", 2, 0, 0)  # the nested document's steps are not counted
    (outputs,) = ended.outputs("Nested")
    assert list(outputs) == SUMMARY_KEYS
    assert (outputs["status"], outputs["executedStepCount"], outputs["failureMessage"]) == (
        "success",
        2,
        "",
    )
    assert outputs["executionId"] != ended.summary["executionId"]
    assert "Stdout: inside" in ended.messages


def test_its_record_is_in_the_step_and_in_chaining(toe: Toe) -> None:
    toe.document(bash("Inner", "echo inside"), name="child.yml")
    ended = toe.steps(execute("child.yml"))
    (nested,) = ended.steps["Nested"]["detailedOutput"]
    assert nested["executionId"] == ended.outputs("Nested")[0]["executionId"]
    inner = nested["documents"][0]["phases"][0]["steps"][0]
    assert (inner["name"], inner["outputs"]) == ("Inner", '[{"stdout":"inside"}]')
    assert nested["documents"][0]["filePath"] == "child.yml"
    chained = ended.chaining[0]["phases"][0]["steps"][0]["documents"]
    assert chained[0]["phases"][0]["steps"][0]["outputs"] == '[{"stdout":"inside"}]'


def test_parameters_and_phases_are_passed_on(toe: Toe) -> None:
    toe.document(
        name="child.yml",
        parameters=[{"Word": {"type": "string"}}, {"Other": {"type": "string", "default": "o"}}],
        phases=phases(
            build=[bash("B", "touch built")],
            validate=[bash("V", "echo {{ Word }} {{ Other }} > out")],
            test=[bash("T", "touch tested")],
        ),
    )
    ended = toe.steps(
        bash("Give", "echo 'given word'"),
        execute(
            "{{ Name }}",
            inputs={
                "phases": "test, validate",
                "parameters": [
                    {"name": "Word", "value": "{{ build.Give.outputs.stdout }}"},
                    {"name": "Unknown", "value": "x"},
                ],
            },
        ),
        parameters=[{"Name": {"type": "string", "default": "child.yml"}}],
    )
    assert ended.exit_code == 0, ended.summary
    assert toe.read("out") == "given word o\n"
    assert not (toe.folder / "built").exists()
    assert (toe.folder / "tested").exists()
    assert any("Unknown" in line for line in ended.messages if line.startswith("Warning: "))


def test_a_failing_nested_document_fails_the_step(toe: Toe) -> None:
    toe.document(bash("Inner", "echo why >&2; exit 5"), name="child.yml")
    ended = toe.steps(execute("child.yml"), bash("Never", "true"))
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 1, 1, 0)
    (failure,) = ended.summary["failures"]
    assert (failure["document"], failure["phase"], failure["step"]) == (
        "child.yml",
        "build",
        "Inner",
    )
    assert (failure["exitCode"], failure["stderrTail"]) == (5, "why")
    assert [place["step"] for place in failure["path"]] == ["Nested", "Inner"]
    assert ended.steps["Nested"]["failureMessage"] == "ExecuteDocument: Document child.yml failed!"
    assert ended.summary["failureMessage"].count("exit code 5") == 1
    (nested,) = ended.steps["Nested"]["detailedOutput"]
    assert nested["status"] == "failed"


def test_a_nested_document_whose_failure_is_ignored_is_a_success(toe: Toe) -> None:
    toe.document(bash("Inner", "exit 5", onFailure="Ignore"), name="child.yml")
    ended = toe.steps(execute("child.yml"))
    assert ended.counts == ("success", 1, 0, 0)
    assert ended.outputs("Nested")[0]["ignoredFailedStepCount"] == 1


def test_a_loop_records_every_nested_run(toe: Toe) -> None:
    toe.document(
        bash("Inner", "echo got {{ Word }}"),
        name="child.yml",
        parameters=[{"Word": {"type": "string"}}],
    )
    ended = toe.steps(
        execute(
            "child.yml",
            loop={"forEach": ["a", "b"]},
            inputs={"parameters": [{"name": "Word", "value": "{{ loop.value }}"}]},
        )
    )
    printed = [
        json.loads(run["documents"][0]["phases"][0]["steps"][0]["outputs"])[0]["stdout"]
        for run in ended.steps["Nested"]["detailedOutput"]
    ]
    assert printed == ["got a", "got b"]
    assert ended.outputs("Nested")[0]["status"] == "success\nsuccess"


def test_the_document_is_resolved_and_read_when_the_step_runs(toe: Toe) -> None:
    child = {"schemaVersion": "1.0", "phases": phases(build=[bash("Inner", "echo made")])}
    ended = toe.steps(
        action(
            "Make", "CreateFile", [{"path": f"{toe.folder}/made.yml", "content": json.dumps(child)}]
        ),
        execute("{{ build.Make.inputs.path }}"),
    )
    assert ended.exit_code == 0, ended.summary
    assert "Stdout: made" in ended.messages


def test_documents_nest_up_to_three_levels_deep(toe: Toe) -> None:
    for level in range(1, 4):
        toe.document(execute(f"{level + 1}.yml"), name=f"{level}.yml")
    toe.document(bash("Deepest", "touch reached"), name="4.yml")
    assert toe.run("-d", "1.yml").exit_code == 0
    (toe.folder / "reached").unlink()
    toe.document(execute("1.yml"), name="0.yml")
    ended = toe.run("-d", "0.yml")
    assert ended.exit_code == 1
    assert "nested too deep" in ended.summary["failureMessage"]
    assert "up to 3 levels" in ended.summary["failureMessage"]
    assert not (toe.folder / "reached").exists()


@pytest.mark.parametrize("documents", [["doc.yml"], ["b.yml", "doc.yml"]])
def test_a_cycle_is_shown_as_a_chain(toe: Toe, documents: list[str]) -> None:
    (toe.folder / "link.yml").symlink_to("doc.yml")
    targets = [*documents[:-1], "link.yml"]
    for name, target in zip(["doc.yml", *documents[:-1]], targets, strict=True):
        toe.document(execute(target), name=name)
    ended = toe.run("-d", "doc.yml")
    assert ended.exit_code == 1
    message = ended.summary["failureMessage"]
    assert "the document runs itself: " in message
    assert f"{toe.folder}/doc.yml" in message


def test_a_missing_document_next_to_the_parent_is_in_the_hint(toe: Toe) -> None:
    toe.document(bash("Inner", "true"), name="sub/child.yml") if (
        toe.folder / "sub"
    ).exists() else toe.write("sub/child.yml", "schemaVersion: 1.0")
    toe.document(execute("child.yml"), name="sub/parent.yml")
    ended = toe.run("-d", "sub/parent.yml")
    assert ended.exit_code == 1
    message = ended.summary["failureMessage"]
    assert "there is one at sub/child.yml" in message
    assert "is relative to the working directory" in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("schemaVersion: 2.0\nphases: []\n", "Invalid schema version"),
        ("phases: [", "child.yml:"),
        ("", "empty"),
        (
            json.dumps(
                {
                    "schemaVersion": "1.0",
                    "parameters": [{"Needed": {"type": "string"}}],
                    "phases": phases(build=[bash("S", "true")]),
                }
            ),
            "Needed",
        ),
    ],
)
def test_an_invalid_nested_document_fails_the_step(toe: Toe, content: str, reason: str) -> None:
    toe.write("child.yml", content)
    ended = toe.steps(execute("child.yml"))
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert "ExecuteDocument cannot run child.yml" in message
    assert reason in message


def test_phases_that_a_nested_document_does_not_have_fail_the_step(toe: Toe) -> None:
    toe.document(bash("Inner", "true"), name="child.yml")
    ended = toe.steps(execute("child.yml", inputs={"phases": "tset"}))
    assert ended.exit_code == 1
    assert "no phase of the documents is named tset" in ended.summary["failureMessage"]


@pytest.mark.parametrize(
    "document",
    [
        "s3://bucket/key.yml",
        "arn:aws:imagebuilder:eu-west-1:111122223333:component/x/1.0.0/1",
    ],
)
def test_documents_from_aws_are_reported_as_unsupported(toe: Toe, document: str) -> None:
    ended = toe.steps(execute(document))
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert "in this version of awstoe" in message
    assert message.count(document) == 1
    before, _, _ = ended.stderr.partition("phase build")
    assert "step 'Nested' in phase 'build' uses documents from" in before


def test_a_blocked_module_in_a_nested_document_fails_the_step(toe: Toe) -> None:
    toe.document(action("R", "Reboot", {}), name="child.yml")
    toe.document(execute("child.yml"))
    ended = toe.run("-d", "doc.yml", "--blocked-action-modules", "Reboot")
    assert ended.exit_code == 1
    assert "--blocked-action-modules forbids" in ended.summary["failureMessage"]


@pytest.mark.parametrize("keys", [{"timeoutSeconds": 10}, {"maxAttempts": 2}])
def test_time_limits_and_retries_of_a_nested_document_are_errors(
    toe: Toe, keys: dict[str, int]
) -> None:
    toe.document(bash("Inner", "touch ran"), name="child.yml")
    step = {**execute("child.yml"), **keys}
    ended = toe.steps(step)
    assert ended.exit_code == 1
    assert next(iter(keys)) in ended.stderr
    assert not (toe.folder / "ran").exists()
