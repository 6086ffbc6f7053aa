"""The model of a valid document, and limits of parsing."""

from pathlib import Path

from awstoe import limits
from awstoe.document.model import Branch, Document, OnFailure, Step
from awstoe.document.parse import parse
from awstoe.document.problems import Severity, headline
from awstoe.expressions.conditions import Comparison, Logical
from awstoe.expressions.loops import ForEachList, ForEachText, ForLoop
from awstoe.host.platforms import Platform

VALID = Path(__file__).parent.parent.parent / "documents" / "valid"
STEP = """      - name: Step-{}
        action: ExecuteBash
        timeoutSeconds: 60
        inputs:
          commands:
            - echo {} {{{{ Color }}}} {{{{ build.Step-0.outputs.stdout }}}}
"""
HEAD = """name: large
schemaVersion: 1.0
parameters:
  - Color: {type: string, default: red}
phases:
  - name: build
    steps:
      - {name: Step-0, action: ExecuteBash, inputs: {commands: [echo]}}
"""


def parsed(name: str) -> Document:
    result = parse((VALID / name).read_bytes(), name, {Platform.LINUX})
    assert result.document is not None, "\n".join(map(headline, result.problems))
    return result.document


def steps(name: str) -> dict[str, Step]:
    return {step.name: step for phase in parsed(name).phases for step in phase.steps}


def test_a_document_of_one_step_has_the_documented_defaults() -> None:
    document = parsed("minimal.yml")

    assert (document.path, document.name, document.description) == ("minimal.yml", "", "")
    assert document.data == (VALID / "minimal.yml").read_bytes()
    (phase,) = document.phases
    (step,) = phase.steps
    assert step._replace(mark=phase.mark) == Step(
        name="Hello",
        action="ExecuteBash",
        timeout_seconds=limits.STEP_TIMEOUT_SECONDS,
        on_failure=OnFailure.ABORT,
        max_attempts=1,
        operations=({"commands": ["echo hello"]},),
        assertion=None,
        loop=None,
        loop_record=None,
        condition=None,
        disable_logging=False,
        mark=phase.mark,
    )
    assert step.mark == (5, 9)


def test_the_settings_of_a_step_are_kept() -> None:
    result = steps("step-settings.yml")

    assert result["Folder"].on_failure is OnFailure.CONTINUE
    assert result["Folder"].operations == ({"path": "/tmp/single-mapping"},)
    assert result["Nested"].timeout_seconds == -1
    assert result["Restart"].timeout_seconds == -1
    assert result["Restart"].operations == ()
    assert result["Update"].operations == ({},)


def test_json_escapes_are_resolved() -> None:
    (step,) = steps("one-line.json").values()

    assert step.operations == ({"commands": ['echo "\U0001f600" A/b\tc']},)


def test_scalars_keep_their_text_except_typed_booleans_and_integers() -> None:
    document = parsed("scalars-keep-their-text.yml")

    assert document.parameters[0].default == "false"
    assert document.constants[0].value == "1.10"
    permissions, upload = document.phases[0].steps
    assert permissions.operations[0]["permissions"] == "0700"
    assert upload.operations[0]["expectedBucketOwner"] == "012345678901"
    assert upload.operations[0]["recurse"] is True
    assert steps("all-linux-actions.yml")["Reboot"].operations == ({"delaySeconds": 30},)


def test_loops_are_typed_and_recorded_as_written() -> None:
    result = steps("loops.yml")

    assert result["Counted"].loop == ForLoop("count-down", 10, 1, -3)
    assert result["Counted"].loop_record == {
        "name": "count-down",
        "for": {"start": 10, "end": 1, "updateBy": -3},
    }
    assert result["Listed"].loop == ForEachList("", ("{{ build.Counted.outputs.stdout }}", "/srv"))
    assert result["Cut"].loop == ForEachText("", "a b c", " ")


def test_all_forms_of_conditions_are_typed() -> None:
    result = steps("conditions.yml")

    first = result["MappingForm"].condition
    assert first is not None
    assert isinstance(first.condition, Logical)
    assert (first.then, first.otherwise) == (Branch.EXECUTE, Branch.SKIP)
    listed = result["ListForm"].condition
    assert listed is not None
    assert listed.condition == Comparison("stringEquals", "a", "{{ env:LETTER }}")
    assert (listed.then, listed.otherwise) == (Branch.SKIP, Branch.ABORT)
    assert result["Hash"].assertion == Comparison(
        "fileMD5Equals", "d41d8cd98f00b204e9800998ecf8427e", "/dev/null"
    )
    assert result["Hash"].operations == (
        {"fileMD5Equals": "d41d8cd98f00b204e9800998ecf8427e", "path": "/dev/null"},
    )


def test_aliased_steps_are_parsed_at_each_position() -> None:
    document = parsed("aliases-and-merge-keys.yml")

    assert [step.name for step in document.phases[0].steps] == ["First", "Second", "Third"]
    assert document.phases[1].steps[0] == document.phases[0].steps[0]


def test_warnings_are_errors_with_strict() -> None:
    data = (VALID / "tags.yml").read_bytes()

    result = parse(data, "tags.yml", {Platform.LINUX}, strict=True)

    assert result.document is None
    assert {problem.severity for problem in result.problems} == {Severity.ERROR}


def test_standard_input_is_named_in_problems() -> None:
    (problem,) = parse(b"", "-", {Platform.LINUX}).problems

    assert problem.file == "<stdin>"


def test_a_document_full_of_wrong_references_is_rejected_with_the_first_problems() -> None:
    body = "".join(STEP.format(number, number) for number in range(1, 3000))
    data = (HEAD + body.replace("Step-0.out", "Stpe-0.out")).encode()

    result = parse(data, "a.yml", {Platform.LINUX})

    assert len(result.problems) == limits.PROBLEMS_SHOWN + 1
