"""References in braces: parameters, constants, prefixed references, and chaining."""

import json
import re

import pytest

from cli.running import Toe, action, bash, phases


def test_parameters_and_constants_are_replaced(toe: Toe) -> None:
    toe.document(
        bash("Show", "echo '{{ Given }}|{{Default}}|{{  Fixed  }}'"),
        parameters=[
            {"Given": {"type": "string", "default": "no"}},
            {"Default": {"type": "string", "default": "007", "description": "d"}},
        ],
        constants=[{"Fixed": {"type": "string", "value": "1.10"}}],
    )
    ended = toe.run("-d", "doc.yml", "--parameters", "Given=yes")
    assert ended.printed("Show") == "yes|007|1.10"
    assert ended.inputs("Show") == [{"commands": ["echo 'yes|007|1.10'"]}]


def test_a_constant_cannot_be_overridden(toe: Toe) -> None:
    toe.document(
        bash("Show", "echo {{ Fixed }}"), constants=[{"Fixed": {"type": "string", "value": "c"}}]
    )
    ended = toe.run("-d", "doc.yml", "--parameters", "Fixed=other")
    assert "Fixed" in ended.stderr
    assert ended.exit_code == 1 or ended.printed("Show") == "c"


def test_a_value_that_is_not_allowed_is_an_error(toe: Toe) -> None:
    toe.document(
        bash("Show", "touch ran; echo {{ Level }}"),
        parameters=[{"Level": {"type": "string", "default": "a", "allowedValues": ["a", "b"]}}],
    )
    ended = toe.run("-d", "doc.yml", "--parameters", "Level=c")
    assert ended.exit_code == 1
    assert ended.summary["failureMessage"].startswith("Document doc.yml failed! ")
    assert "expected one of 'a', 'b', got 'c'" in ended.stderr
    assert toe.nothing_left()


def test_environment_variables_are_read_by_their_exact_name(toe: Toe) -> None:
    toe.environment |= {"Program(x86)": "odd name", "EMPTY": ""}
    ended = toe.steps(bash("Show", "echo '{{ env:Program(x86) }}|{{ env:EMPTY }}'"))
    assert ended.printed("Show") == "odd name|"


def test_an_environment_variable_that_is_not_set_is_reported(toe: Toe) -> None:
    ended = toe.steps(bash("Show", "echo {{ env:NoSuchThing }}"))
    assert ended.exit_code == 1
    assert "the environment variable NoSuchThing is not set" in ended.summary["failureMessage"]


def test_the_context_describes_run_and_machine(toe: Toe) -> None:
    keys = ["executionId", "phase", "step", "osPlatform", "osName", "osVersion", "hostname"]
    keys += ["date", "dateTime", "uuid"]
    toe.document(
        phases=phases(
            test=[bash("Tell", "\n".join(f"echo '{{{{ context:{key} }}}}'" for key in keys))]
        )
    )
    ended = toe.run("-d", "doc.yml", "-i", "the-id")
    context = dict(zip(keys, ended.printed("Tell").split("\n"), strict=True))
    assert (context["executionId"], context["phase"], context["step"]) == ("the-id", "test", "Tell")
    assert context["osPlatform"] == "linux"
    assert context["hostname"]
    assert context["osName"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", context["date"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", context["dateTime"])
    assert re.fullmatch(r"[0-9a-f-]{14}4[0-9a-f]{3}-[0-9a-f-]{17}", context["uuid"])


def test_every_reference_to_the_uuid_is_a_new_one(toe: Toe) -> None:
    ended = toe.steps(bash("Show", "echo {{ context:uuid }} {{ context:uuid }}"))
    first, second = ended.printed("Show").split()
    assert first != second


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        ("aws:ssm:/my/param", "the SSM parameter /my/param"),
        ("aws:ssm:resolve(Name)", "the SSM parameter /named"),
        ("aws:imds:placement/region", "the instance metadata placement/region"),
        ("context:accountId", "the account id"),
        ("context:region", "the region"),
    ],
)
def test_a_value_from_aws_is_a_clear_error_at_run_time(toe: Toe, reference: str, what: str) -> None:
    ended = toe.steps(
        bash("Before", "true"),
        bash("Show", f"touch ran; echo '{{{{ {reference} }}}}'"),
        parameters=[{"Name": {"type": "string", "default": "/named"}}],
    )
    assert ended.exit_code == 1
    message = ended.summary["failures"][0]["message"]
    assert f"{what} cannot be read" in message
    assert "not in this version of awstoe" in message
    assert not (toe.folder / "ran").exists()
    assert ended.statuses == {"Before": "success", "Show": "failed"}


def test_inputs_and_outputs_of_earlier_steps_are_chained(toe: Toe) -> None:
    toe.write("x.txt", "content of x")
    toe.document(
        phases=phases(
            build=[
                bash("Say", "echo one; echo two; echo err >&2"),
                action("Read", "ReadFile", [{"path": str(toe.folder / "x.txt")}]),
            ],
            test=[
                bash(
                    "Use",
                    "echo '{{ build.Say.outputs.stdout }}|{{ build.Say.outputs[0].stdout }}"
                    "|{{ build.Read.outputs.content }}|{{ build.Read.inputs.path }}'",
                )
            ],
        )
    )
    ended = toe.run("-d", "doc.yml")
    assert ended.printed("Use") == f"one\ntwo|one\ntwo|content of x|{toe.folder}/x.txt"


def test_an_index_that_does_not_exist_is_an_error_before_anything_runs(toe: Toe) -> None:
    ended = toe.steps(
        bash("Say", "echo one"), bash("Use", "echo {{ build.Say.outputs[3].stdout }}")
    )
    assert ended.exit_code == 1
    assert "there is no [3]" in ended.summary["failureMessage"]
    assert toe.nothing_left()


def test_substitution_is_one_pass(toe: Toe) -> None:
    toe.environment["BRACES"] = "{{ Word }}"
    ended = toe.steps(
        bash("Say", "echo '{''{ Word }}'"),
        bash("Use", "echo '{{ build.Say.outputs.stdout }} {{ env:BRACES }} {{ Word }}'"),
        parameters=[{"Word": {"type": "string", "default": "word"}}],
    )
    assert ended.printed("Use") == "{{ Word }} {{ Word }} word"


@pytest.mark.parametrize(
    "text",
    ["{{.State.Status}}", "{{ssm:x}}", "{% if x %}", "{{ range .Items }}", "{{ a | b }}", "{{}}"],
)
def test_braces_of_other_languages_stay_as_they_are(toe: Toe, text: str) -> None:
    ended = toe.steps(bash("Say", f"echo '{text}'"))
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("Say") == text


def test_a_whole_string_keeps_the_type_of_its_value(toe: Toe) -> None:
    toe.write(
        "child.yml", json.dumps({"schemaVersion": 1, "phases": phases(build=[bash("C", "true")])})
    )
    ended = toe.steps(
        {
            "name": "Nested",
            "action": "ExecuteDocument",
            "timeoutSeconds": -1,
            "inputs": {"document": "child.yml"},
        },
        action(
            "Count",
            "Assert",
            {"numberEquals": 1, "value": "{{ build.Nested.outputs.executedStepCount }}"},
        ),
    )
    assert ended.exit_code == 0, ended.summary
    assert ended.outputs("Nested")[0]["executedStepCount"] == 1


def test_a_whole_list_of_commands_can_be_chained(toe: Toe) -> None:
    commands = {"name": "Again", "action": "ExecuteBash"}
    commands["inputs"] = {"commands": "{{ build.First.inputs.commands }}"}  # type: ignore[assignment]
    first = bash("First", "echo one")
    first["inputs"]["commands"].append("echo two")
    ended = toe.steps(first, commands)
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("Again") == "one\ntwo"
    assert ended.inputs("Again") == [{"commands": ["echo one", "echo two"]}]


def test_bytes_that_are_not_utf8_pass_through_the_environment(toe: Toe) -> None:
    ended = toe.run(
        "-d",
        toe.document(
            bash("Show", "printf %s '{{ env:ODD }}' | od -An -tx1; echo \"{{ env:ODD }}\"")
        ),
        before=("env", b"ODD=a\xffb".decode(errors="surrogateescape")),
    )
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("Show").startswith(" 61 ff 62\n")
    assert ended.records["status"] == "success"


def test_constants_that_hold_braces_write_what_looks_like_a_reference(toe: Toe) -> None:
    ended = toe.steps(
        bash("Say", "echo '{{ Open }} item {{ Close }}'"),
        constants=[
            {"Open": {"type": "string", "value": "{{"}},
            {"Close": {"type": "string", "value": "}}"}},
        ],
    )

    assert ended.printed("Say") == "{{ item }}"
    assert "warning" not in ended.stderr.lower()
