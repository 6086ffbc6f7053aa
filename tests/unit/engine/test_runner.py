"""The events of a run, from start to end and after an interruption. Steps start no processes."""

import pytest

from awstoe.document.model import Document
from awstoe.engine import events
from awstoe.engine.records import Status
from awstoe.engine.runner import Runner
from awstoe.errors import Interrupted
from awstoe.host.process.interruption import Interruption
from fakes.executions import Engine, document, plan

TRUE = "action: Assert, inputs: {stringIsEmpty: ''}"
FALSE = "action: Assert, inputs: {stringIsEmpty: 'x'}"


def steps(*texts: str, path: str = "doc.yml") -> Document:
    lines = "".join(f"      - {{name: S{n}, {text}}}\n" for n, text in enumerate(texts))
    return document(f"  - name: build\n    steps:\n{lines}", path)


def kinds(engine: Engine) -> list[str]:
    return engine.calls.events()


START = ["RunStarted", "DocumentStarted", "PhaseStarted"]
END = ["PhaseFinished", "DocumentFinished", "RunFinished"]
STEP = [
    *("StepStarted", "AttemptStarted", "InputsResolved", "ActionStarted"),
    *("AttemptFinished", "StepFinished"),
]


@pytest.mark.parametrize(
    ("step", "expected", "status"),
    [
        (TRUE, STEP, Status.SUCCESS),
        (FALSE, STEP, Status.FAILED),
        (f"{FALSE}, onFailure: Ignore", STEP, Status.SUCCESS_WITH_IGNORED_FAILURE),
        (
            f"{FALSE}, maxAttempts: 2",
            [*STEP[:-1], *STEP[1:]],
            Status.FAILED,
        ),
        (
            f"if: {{stringIsEmpty: '', then: Skip}}, {TRUE}",
            ["StepStarted", "BranchTaken", "StepFinished"],
            Status.SUCCESS,
        ),
        (
            f"if: {{stringIsEmpty: '', then: Abort}}, {TRUE}",
            ["StepStarted", "BranchTaken", "StepFinished"],
            Status.FAILED,
        ),
        (
            f"loop: {{forEach: [a, b]}}, {TRUE}",
            [
                *("StepStarted", "AttemptStarted", "InputsResolved", "ListRead", "ActionStarted"),
                *["IterationStarted", "IterationsFinished"] * 2,
                *("AttemptFinished", "StepFinished"),
            ],
            Status.SUCCESS,
        ),
    ],
)
def test_a_step_reports_each_event_once(step: str, expected: list[str], status: Status) -> None:
    engine = Engine()
    record = Runner(engine.execution, plan(steps(step))).run()
    assert kinds(engine) == [*START, *expected, *END]
    assert record.status is status


def test_the_failure_of_each_attempt_is_reported() -> None:
    engine = Engine()
    Runner(engine.execution, plan(steps(f"{FALSE}, maxAttempts: 2"))).run()
    received = engine.observer.received
    finished = [event for event in received if type(event) is events.AttemptFinished]
    assert [event.again for event in finished] == [True, False]
    assert all(event.failure for event in finished)
    record = engine.records.step("", 0, 0, 0)
    assert record.attempts == 2
    assert record.message.startswith("attempt 2 of 2: ")


def test_a_failed_step_stops_the_run_unless_it_continues() -> None:
    engine = Engine()
    Runner(engine.execution, plan(steps(f"{FALSE}, onFailure: Continue", FALSE, TRUE))).run()
    steps_run = engine.records.runs[""].documents[0].phases[0].steps
    assert {index: step.status for index, step in steps_run.items()} == {
        0: Status.FAILED,
        1: Status.FAILED,
    }


class _AtCheck(Interruption):
    """Interrupts at the n-th check."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.left = checks

    def check(self) -> None:
        self.left -= 1
        if not self.left:
            raise Interrupted(2)


def test_a_resumed_run_reports_what_it_continues_and_repeats_nothing_that_finished() -> None:
    todo = plan(steps(TRUE, TRUE))
    engine = Engine()
    services = engine.execution.services
    engine.execution.services = services._replace(interruption=_AtCheck(5))
    with pytest.raises(Interrupted):
        Runner(engine.execution, todo).run()
    assert engine.records.runs[""].interrupted_by == 2
    assert kinds(engine)[-4:-1] == ["StepFinished", "StepStarted", "AttemptStarted"]
    engine.execution.services = services
    engine.calls.clear()
    before = len(engine.journal.entries)
    record = Runner(engine.execution, todo).run()
    assert record.status is Status.SUCCESS
    again = [kind for kind in STEP if kind != "AttemptStarted"]
    assert kinds(engine) == [*START, *again, *END]
    written = [str(entry[0]) for entry in engine.journal.entries[before:]]
    assert written == ["InputsResolved", "StepFinished", *END]


def test_a_run_replayed_from_its_journal_has_the_same_records() -> None:
    engine = Engine()
    Runner(engine.execution, plan(steps(TRUE, f"loop: {{forEach: [a]}}, {TRUE}"))).run()
    replayed = Engine()
    for entry in engine.journal.entries:
        replayed.records.apply(events.from_entry(list(entry)))
    for index in range(2):
        one, two = engine.records.step("", 0, 0, index), replayed.records.step("", 0, 0, index)
        assert (one.status, one.inputs, one.outputs) == (two.status, two.inputs, two.outputs)


NESTED = "action: ExecuteDocument, inputs: {document: inner.yml}"


def test_a_nested_run_is_part_of_its_step() -> None:
    engine = Engine(steps(TRUE, path="inner.yml"))
    Runner(engine.execution, plan(steps(NESTED))).run()
    nested = engine.records.step("", 0, 0, 0).nested
    assert [run.key for run in nested] == ["/0.0.0"]
    assert engine.records.plan("/0.0.0").chain == ("/doc.yml",)
    assert kinds(engine).count("RunFinished") == 2


def test_a_nested_run_of_a_hidden_step_is_not_observed() -> None:
    engine = Engine(steps(TRUE, path="inner.yml"))
    Runner(engine.execution, plan(steps(f"{NESTED}, disableLogging: true"))).run()
    assert kinds(engine) == [*START, *STEP, *END]
    assert len(engine.records.step("", 0, 0, 0).nested) == 1
    assert engine.log.messages == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("doc.yml", "the document runs itself: /doc.yml -> /doc.yml"),
        ("missing.yml", "ExecuteDocument cannot run missing.yml: missing.yml: no such file"),
        ("beside.yml", "(beside.yml is next to doc.yml)"),
    ],
)
def test_a_nested_run_that_cannot_start_fails_its_step(path: str, reason: str) -> None:
    engine = Engine()
    Runner(engine.execution, plan(steps(NESTED.replace("inner.yml", path)))).run()
    assert reason in engine.records.step("", 0, 0, 0).message
