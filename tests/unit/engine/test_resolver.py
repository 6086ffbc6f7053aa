"""References and their values during a run."""

from typing import NamedTuple

import pytest

from awstoe.engine import events
from awstoe.engine.plan import planned
from awstoe.engine.records import Records
from awstoe.engine.resolver import LoopPosition, StepResolver
from awstoe.errors import ActionError
from awstoe.expressions.values import Value
from fakes.executions import TIME, FakeMachine, document

STEPS = """
  - name: build
    steps:
      - {name: Done, action: ExecuteBash, inputs: {commands: [x]}}
      - {name: Failed, action: ExecuteBash, inputs: {commands: [x]}}
      - {name: Silent, action: ExecuteBash, inputs: {commands: [x]}}
      - {name: Skipped, action: ExecuteBash, inputs: {commands: [x]}}
      - {name: Cut, action: ExecuteBash, inputs: {commands: [x]}}
      - {name: Running, action: ExecuteBash, inputs: {commands: [x]}}
      - {name: Later, action: ExecuteBash, inputs: {commands: [x]}}
"""


class FakeAws:
    """Values from AWS."""

    def ssm(self, name: str) -> Value:
        return ["a", "b"] if name == "/list" else f"ssm {name}"

    def imds(self, path: str) -> str:
        return f"imds {path}"

    def account_id(self) -> str:
        return "012345678901"

    def region(self) -> str:
        return "eu-west-1"


class Scene(NamedTuple):
    resolver: StepResolver
    warnings: list[str]


@pytest.fixture
def scene() -> Scene:
    records = Records(1000)
    records.apply(events.RunStarted("", "id-1", TIME, []))
    records.apply(events.DocumentStarted("", 0, TIME))
    records.apply(events.PhaseStarted("", 0, 0, TIME))
    steps: list[tuple[str, events.Outputs, str | None]] = [
        ("success", [{"stdout": "out", "list": ["x"]}], '[{"commands":["x",{"k":1}]}]'),
        ("failed", [{"stdout": "half"}], '[{"commands":[]}]'),
        ("failed", [], None),
        ("skipped", [], None),
        ("success", [{"stdout": "cut", "list": ["x"]}], "[]"),
    ]
    for index, (status, outputs, inputs) in enumerate(steps):
        address = ("", 0, 0, index)
        records.apply(events.StepStarted(*address, TIME))
        if inputs is not None:
            records.apply(events.InputsResolved(*address, inputs))
        records.apply(
            events.StepFinished(
                *address, TIME, status, "", None, "", 1, outputs, capped=index == 4, hidden=False
            )
        )
    records.apply(events.StepStarted("", 0, 0, 5, TIME))
    item = planned(document(STEPS), {"Param": "value", "Name": "/param"}, (True,))
    warnings: list[str] = []
    resolver = StepResolver(
        item,
        records.runs[""].documents[0],
        ("build", "Running"),
        execution_id="id-1",
        aws=FakeAws(),
        machine=FakeMachine(),
        warn=warnings.append,
    )
    return Scene(resolver, warnings)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("{{ Param }}", "value"),
        ("a {{ Param }} b", "a value b"),
        ("{{ build.Done.outputs[0].stdout }}", "out"),
        ("{{ build.Done.outputs[0].list }}", ["x"]),
        ("{{ build.Done.inputs[0].commands }}", ["x", {"k": 1}]),
        ("-{{ build.Done.outputs[0].list }}-", '-["x"]-'),
        ("{{ env:HOME }}", "/root"),
        ("{{ context:executionId }}", "id-1"),
        ("{{ context:phase }}/{{ context:step }}", "build/Running"),
        ("{{ context:accountId }} {{ context:region }}", "012345678901 eu-west-1"),
        ("{{ context:osName }}", "the osName"),
        ("{{ aws:ssm:/a }}", "ssm /a"),
        ("{{ aws:ssm:/list }}", ["a", "b"]),
        ("{{ aws:ssm:resolve(Name) }}", "ssm /param"),
        ("{{ aws:imds:placement/region }}", "imds placement/region"),
        ("{{ loop.index }}", "{{ loop.index }}"),
        ("x {{ loop.value }}", "x {{ loop.value }}"),
    ],
)
def test_a_reference_becomes_its_value(scene: Scene, text: str, value: Value) -> None:
    assert scene.resolver.resolve(text) == value
    assert scene.resolver.resolve({"key": [text]}) == {"key": [value]}
    assert scene.warnings == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ loop.index }}", "2"),
        ("{{ loop.value }}", "v"),
        ("{{ mine.index }}:{{ mine.value }}", "2:v"),
        ("{{ other.index }}", "{{ other.index }}"),
    ],
)
def test_an_iteration_is_an_argument(scene: Scene, text: str, value: str) -> None:
    position = LoopPosition("mine", 2, "v")
    assert scene.resolver.resolve(text, position) == value
    assert scene.resolver.resolve_text(text, position) == value
    assert scene.resolver.resolve(text) == text


@pytest.mark.parametrize(
    ("reference", "value", "reason"),
    [
        ("build.Failed.outputs[0].stdout", "half", "failed"),
        ("build.Silent.outputs[0].stdout", "", "failed"),
        ("build.Silent.inputs[0].commands", "", "build.Silent"),
        ("build.Skipped.outputs[0].stdout", "", "was skipped"),
        ("build.Running.outputs[0].stdout", "", "has not run"),
        ("build.Later.outputs[0].stdout", "", "has not run"),
        ("build.Cut.outputs[0].stdout", "cut", "is cut"),
    ],
)
def test_a_doubtful_value_is_warned_about_once(
    scene: Scene, reference: str, value: str, reason: str
) -> None:
    for _ in range(3):
        assert scene.resolver.resolve(f"{{{{ {reference} }}}}") == value
    assert len(scene.warnings) == 1
    assert reason in scene.warnings[0]
    assert reference in scene.warnings[0]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("build.None.outputs[0].stdout", "refers to step build.None, which does not exist"),
        ("build.Done.outputs[1].stdout", r"the step has 1 outputs"),
        ("build.Done.outputs[0].other", "the step has: stdout, list"),
        ("build.Cut.inputs[0].commands", r"the step has 0 inputs"),
        ("env:MISSING", "MISSING is not set"),
    ],
)
def test_a_reference_without_a_value_is_an_error(scene: Scene, reference: str, reason: str) -> None:
    with pytest.raises(ActionError, match=reason):
        scene.resolver.resolve(f"{{{{ {reference} }}}}")


def test_a_loop_does_not_run_over_a_list_that_was_cut(scene: Scene) -> None:
    assert scene.resolver.resolve_list("{{ build.Done.outputs[0].list }}") == ["x"]
    with pytest.raises(ActionError, match="was cut") as caught:
        scene.resolver.resolve_list("{{ build.Cut.outputs[0].list }}")
    assert caught.value.hint is not None
    assert "AWSTOE_STDOUT_LIMIT" in caught.value.hint


def test_text_that_looks_like_a_list_is_not_parsed(scene: Scene) -> None:
    assert scene.resolver.resolve_text("{{ build.Done.outputs[0].list }}") == '["x"]'
    assert scene.resolver.resolve_text("no {reference}") == "no {reference}"
