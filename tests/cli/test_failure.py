"""The effect of a failing step on its phase, its document, later documents and the counts."""

import json
from pathlib import Path

import pytest

from cli.running import Ended, Step, Toe, action, bash, phases


def levels(ended: Ended) -> list[str]:
    """The statuses of run, documents and phases, from the top."""
    statuses = [ended.records["status"]]
    for document in ended.records["documents"]:
        statuses.append(document["status"])
        statuses += [phase["status"] for phase in document["phases"]]
    return statuses


def test_a_successful_run_is_a_success_in_all_outputs(toe: Toe) -> None:
    ended = toe.steps(bash("One", "echo hi"))
    assert ended.exit_code == 0
    assert ended.counts == ("success", 1, 0, 0)
    assert ended.summary["failureMessage"] == ""
    assert ended.summary["failures"] == []
    assert levels(ended) == ["success"] * 3
    assert ended.logs.parent == toe.folder
    assert ended.logs.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in ended.logs.iterdir()} == {0o600}
    assert ended.messages[-1] == "TOE has completed execution successfully"


def test_abort_stops_the_document_and_those_after_it(toe: Toe) -> None:
    first = toe.document(
        name="first.yml",
        phases=phases(
            build=[
                bash("Good", "true"),
                bash("Bad", "echo why >&2; exit 3"),
                bash("Never", "true"),
            ],
            test=[bash("NeverToo", "true")],
        ),
    )
    second = toe.document(bash("Other", "true"), name="second.yml")
    ended = toe.run("-d", f"{first},{second}")
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 2, 1, 0)
    assert ended.statuses == {"Good": "success", "Bad": "failed"}
    assert levels(ended) == ["failed", "failed", "failed"]
    assert ended.messages[-1] == "TOE has completed execution with failure - Execution failed!"
    never = ended.chaining[0]["phases"][0]["steps"][2]
    assert (never["name"], never["inputs"], never["outputs"]) == ("Never", None, None)
    assert ended.chaining[1]["phases"][0]["isSelected"] is True


def test_the_failure_message_has_place_exit_code_and_standard_error(toe: Toe) -> None:
    ended = toe.steps(bash("Bad", "echo first >&2; echo second >&2; exit 3"))
    message = ended.summary["failureMessage"]
    assert message.startswith("Document doc.yml failed! Phase 'build', step 'Bad': ")
    assert "exit code 3" in message
    assert message.endswith("first\nsecond")
    (failure,) = ended.summary["failures"]
    assert list(failure) == [
        *("document", "phase", "step", "exitCode", "message", "stderrTail", "stdoutTail", "path")
    ]
    assert (failure["document"], failure["phase"], failure["step"]) == ("doc.yml", "build", "Bad")
    assert (failure["exitCode"], failure["stderrTail"]) == (3, "first\nsecond")
    assert "step 'Bad'" in ended.stderr
    assert "exit code 3" in ended.stderr
    assert "second" in ended.stderr


def test_only_the_last_lines_of_standard_error_are_quoted(toe: Toe) -> None:
    ended = toe.steps(bash("Bad", "seq -f 'line %.0f' 1 5000 >&2; exit 1"))
    tail = ended.summary["failures"][0]["stderrTail"].splitlines()
    assert (tail[0], tail[-1], len(tail)) == ("line 4981", "line 5000", 20)
    assert "line 17\n" in ended.console


def test_continue_runs_the_other_steps_and_fails_the_run(toe: Toe) -> None:
    first = toe.document(
        bash("Bad", "echo kept; exit 1", onFailure="Continue"),
        bash("Next", "echo [{{ build.Bad.outputs.stdout }}]"),
        name="first.yml",
    )
    second = toe.document(bash("Other", "true"), name="second.yml")
    ended = toe.run("-d", f"{first},{second}")
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 3, 1, 0)
    assert levels(ended) == ["failed", "failed", "failed", "success", "success"]
    assert ended.printed("Next") == "[kept]"
    assert ended.printed("Bad") == "kept"
    assert any("step build.Bad failed" in line for line in ended.messages)
    assert ended.summary["failureMessage"].startswith("Document first.yml failed!")


def test_ignore_is_a_success_that_the_records_show(toe: Toe) -> None:
    ended = toe.steps(
        bash("Bad", "echo kept; exit 1", onFailure="Ignore"),
        bash("Next", "echo [{{ build.Bad.outputs.stdout }}]"),
    )
    assert ended.exit_code == 0
    assert ended.counts == ("success", 2, 0, 1)
    assert ended.statuses == {"Bad": "ignoredFailure", "Next": "success"}
    assert levels(ended)[1:] == ["successWithIgnoredFailure"] * 2
    assert "exit code 1" in ended.steps["Bad"]["failureMessage"]
    assert ended.printed("Next") == "[kept]"
    assert ended.summary["failureMessage"] == ""


def test_a_failed_phase_is_not_hidden_by_an_ignored_failure(toe: Toe) -> None:
    ended = toe.run(
        "-d",
        toe.document(
            phases=phases(
                build=[bash("A", "false", onFailure="Ignore")],
                validate=[bash("B", "false", onFailure="Continue")],
                test=[bash("C", "true")],
            )
        ),
    )
    assert levels(ended) == ["failed", "failed", "successWithIgnoredFailure", "failed", "success"]
    assert ended.counts == ("failed", 3, 1, 1)


def test_several_documents_are_recorded_in_order(toe: Toe) -> None:
    names = [
        toe.document(bash("S", f"echo {n}"), name=f"{n}.yml", description=f"d{n}") for n in "abc"
    ]
    ended = toe.run("-d", ",".join(names))
    assert [d["filePath"] for d in ended.records["documents"]] == names
    assert [d["description"] for d in ended.records["documents"]] == ["da", "db", "dc"]
    copies = sorted(path.name for path in ended.logs.glob("D*__*"))
    assert copies == ["D0__a.yml", "D1__b.yml", "D2__c.yml"]


@pytest.mark.parametrize("on_failure", ["Abort", "Continue", "Ignore"])
def test_attempts_end_with_the_first_success(toe: Toe, on_failure: str) -> None:
    ended = toe.steps(
        bash(
            "Try", "echo x >> count; [ $(wc -l < count) = 3 ]", maxAttempts=5, onFailure=on_failure
        )
    )
    assert ended.exit_code == 0
    assert ended.counts == ("success", 1, 0, 0)
    assert toe.read("count") == "x\n" * 3


def test_attempts_count_the_first_one_and_a_step_counts_once(toe: Toe) -> None:
    ended = toe.steps(bash("Try", "echo x >> count; exit 7", maxAttempts=3))
    assert toe.read("count") == "x\n" * 3
    assert ended.counts == ("failed", 1, 1, 0)
    assert ended.summary["failures"][0]["message"].startswith("attempt 3 of 3: ")
    assert ended.summary["failures"][0]["exitCode"] == 7


def test_a_retry_keeps_only_the_output_of_the_last_attempt(toe: Toe) -> None:
    ended = toe.steps(
        bash("Try", "echo x >> count; wc -l < count; [ $(wc -l < count) = 2 ]", maxAttempts=2)
    )
    assert ended.outputs("Try") == [{"stdout": "2"}]


def test_exit_194_fails_the_step_if_reboots_are_blocked(toe: Toe) -> None:
    ended = toe.run(
        "-d", toe.document(bash("R", "exit 194")), "--blocked-action-modules", "Reboot,UpdateOS"
    )
    assert ended.exit_code == 1
    assert "--blocked-action-modules" in ended.summary["failures"][0]["message"]


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        ("S3Download", [{"source": "s3://bucket/key", "destination": "/tmp/x"}]),
        ("WebDownload", [{"source": "https://example.com/x", "destination": "/tmp/x"}]),
    ],
)
def test_an_unimplemented_module_fails_its_step(toe: Toe, module: str, inputs: object) -> None:
    ended = toe.steps(action("S", module, inputs))
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert f"{module} is not in this version of awstoe" in message
    warning, _, _ = ended.stderr.partition("phase build")
    assert "doc.yml:" in warning
    assert f"uses {module}, which is not in this version" in warning


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (
            action("S", "S3Download", [{"source": "s3://bucket/key", "destination": "/tmp/x"}]),
            "not in this version",
        ),
        (bash("S", "echo '{{ aws:ssm:/a }}'"), "not in this version"),
        (bash("S", "echo '{{ env:AWSTOE_TEST_UNSET }}'"), "is not set"),
        (action("S", "Reboot", {"delaySeconds": "{{ build.First.outputs.stdout }}"}), "'soon'"),
        (action("S", "CreateFile", [{"path": "{{ build.First.outputs.stdout }}/"}]), "a folder"),
        (
            action(
                "S",
                "Assert",
                {"patternMatches": "{{ build.First.outputs.stdout }}("} | {"value": "a"},
            ),
            "invalid pattern",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value["action"],
)
def test_a_failure_that_cannot_change_is_not_repeated(toe: Toe, failing: Step, reason: str) -> None:
    ended = toe.steps(bash("First", "echo soon"), {**failing, "maxAttempts": 3})

    assert ended.exit_code == 1
    (failure,) = ended.summary["failures"]
    assert reason in failure["message"]
    assert "attempt" not in failure["message"]
    assert "attempt 2 of 3" not in ended.stderr


def test_a_blocked_module_is_rejected_before_anything_runs(toe: Toe) -> None:
    document = toe.document(bash("First", "touch ran"), action("Second", "Reboot", {}))
    ended = toe.run("-d", document, "--blocked-action-modules", "Reboot")
    assert ended.exit_code == 1
    assert not (toe.folder / "ran").exists()
    assert "step 'Second' in phase 'build' uses Reboot" in ended.summary["failureMessage"]
    assert toe.nothing_left()


def test_operations_up_to_the_failing_one_are_run(toe: Toe) -> None:
    ended = toe.steps(
        action(
            "Make",
            "CreateFile",
            [
                {"path": str(toe.folder / "one"), "content": "1"},
                {"path": str(toe.folder / "one" / "two"), "content": "2"},
                {"path": str(toe.folder / "three"), "content": "3"},
            ],
        )
    )
    assert ended.exit_code == 1
    assert toe.read("one") == "1"
    assert not (toe.folder / "three").exists()
    assert str(toe.folder / "one" / "two") in ended.summary["failureMessage"]


def test_outputs_have_one_entry_per_operation(toe: Toe) -> None:
    paths = [toe.write(f"{n}.txt", f"text {n}") for n in range(2)]
    ended = toe.steps(
        action("Read", "ReadFile", [{"path": str(path)} for path in paths]),
        bash("Use", "echo {{ build.Read.outputs[1].content }}, {{ build.Read.inputs[0].path }}"),
    )
    assert ended.outputs("Read") == [{"content": "text 0"}, {"content": "text 1"}]
    assert ended.printed("Use") == f"text 1, {paths[0]}"


def test_the_records_have_the_documented_keys(toe: Toe) -> None:
    ended = toe.steps(bash("One", "echo hi", timeoutSeconds=10, maxAttempts=2))
    records = ended.records
    assert list(records) == [
        *("executionId", "status", "startTime", "endTime", "failureMessage", "documents")
    ]
    (document,) = records["documents"]
    assert list(document) == [
        *("name", "filePath", "status", "description", "startTime", "endTime"),
        *("failureMessage", "phases"),
    ]
    (phase,) = document["phases"]
    assert list(phase) == ["name", "status", "startTime", "endTime", "failureMessage", "steps"]
    step = dict(phase["steps"][0])
    assert step.pop("startTime") <= step.pop("endTime")
    assert step == {
        "name": "One",
        "status": "success",
        "failureMessage": "",
        "timeoutSeconds": 10,
        "onFailure": "Abort",
        "maxAttempts": 2,
        "action": "ExecuteBash",
        "inputs": '[{"commands":["echo hi"]}]',
        "outputs": '[{"stdout":"hi"}]',
        "loop": None,
        "detailedOutput": None,
    }
    for name in ("detailedoutput.json", "chaining.json"):
        text = (ended.logs / name).read_text()
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=4)


def test_a_child_has_no_input_and_the_folder_and_environment_of_the_caller(toe: Toe) -> None:
    toe.environment["MINE"] = "yes"
    ended = toe.steps(bash("Look", 'cat; echo "$MINE"; pwd'))
    assert ended.printed("Look") == f"yes\n{toe.folder}"


def test_commands_of_a_step_are_one_script(toe: Toe) -> None:
    step = bash("S", "cd /; x=1")
    step["inputs"]["commands"] += ["false", "pwd\necho $x"]
    ended = toe.steps(step)
    assert ended.printed("S") == "/\n1"
    (line,) = [m for m in ended.messages if "Created temporary directory: " in m]
    assert not Path(line.rpartition(" ")[2]).exists()


def test_a_reboot_request_that_fails_reports_the_exit_code(toe: Toe) -> None:
    document = toe.document(bash("Asks", "echo please >&2; exit 194"))
    ended = toe.run("-d", document, "--blocked-action-modules", "Reboot")
    (failure,) = ended.summary["failures"]
    assert (failure["exitCode"], failure["stderrTail"]) == (194, "please")
