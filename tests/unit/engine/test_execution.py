"""One call per turn: who gets an event, in which order, and what is written after it."""

import pytest

from awstoe.engine import events
from awstoe.engine.execution import Execution
from awstoe.engine.records import Status
from fakes.executions import TIME, Engine

STEP = ("", 0, 0, 0)
FLUSH = ["flush journal", "flush log"]


def finished(status: Status) -> events.StepFinished:
    return events.StepFinished(*STEP, TIME, status, "", None, "", 1, [], capped=False, hidden=False)


STARTS: list[events.Event] = [
    events.RunStarted("", "id-1", TIME, []),
    events.DocumentStarted("", 0, TIME),
    events.PhaseStarted("", 0, 0, TIME),
    events.StepStarted(*STEP, TIME),
]
DUE: list[tuple[events.Event, list[str]]] = [
    (events.BranchTaken(*STEP, "Execute", "why"), []),
    (events.InputsResolved(*STEP, "[]"), ["update files"]),
    (events.AttemptStarted(*STEP, 1), []),
    (events.ProcessStarted(*STEP, 7, "token"), ["flush journal"]),
    (events.FolderMade(*STEP, "/tmp/AWSTOE1"), ["flush journal"]),
    (events.ContextRead("", "hostname", "h"), []),
    (events.ListRead(*STEP, ["a"]), []),
    (events.IterationsFinished(*STEP, 0, []), FLUSH),
    (events.RebootAsked(*STEP, "boot"), []),
    (finished(Status.SUCCESS), [*FLUSH, "update files"]),
    (finished(Status.FAILED), [*FLUSH, "update files for a failure"]),
    (events.PhaseFinished("", 0, 0, TIME, "success", ""), [*FLUSH, "update files"]),
    (events.DocumentFinished("", 0, TIME, "success", ""), ["update files"]),
    (events.RunFinished("", TIME, "success", ""), ["write files", *FLUSH]),
    (events.RunInterrupted("", TIME, 2), []),
    (events.RunResumed("", TIME), []),
]
TRANSIENT: list[tuple[events.Event, list[str]]] = [
    (events.ActionStarted(*STEP, 1, None), FLUSH),
    (events.IterationStarted(*STEP, 0), []),
    (events.AttemptFinished(*STEP, "", again=False), []),
    (events.RunStopped("", "why"), []),
]


def started() -> Engine:
    engine = Engine()
    for event in STARTS:
        engine.execution.emit(event)
    engine.calls.clear()
    return engine


@pytest.mark.parametrize(("event", "due"), DUE, ids=lambda value: type(value).__name__)
def test_an_event_reaches_journal_records_and_observers_once_and_then_the_files(
    event: events.Event, due: list[str]
) -> None:
    engine = started()
    engine.execution.emit(event)
    kind = type(event).__name__
    assert engine.calls == [f"journal {kind}", f"record {kind}", f"observe {kind}", *due]


@pytest.mark.parametrize(("event", "due"), TRANSIENT, ids=lambda value: type(value).__name__)
def test_an_event_for_observers_is_not_kept(event: events.Event, due: list[str]) -> None:
    engine = started()
    engine.execution.emit(event)
    assert engine.calls == [f"observe {type(event).__name__}", *due]


def test_every_kind_of_event_has_a_case_here() -> None:
    cases = {type(event) for event in (*STARTS, *(event for event, _ in (*DUE, *TRANSIENT)))}
    assert cases == set(events.Event.__args__)


@pytest.mark.parametrize("event", STARTS, ids=lambda event: type(event).__name__)
def test_a_resumed_run_notifies_observers_of_a_start_that_is_known(event: events.Event) -> None:
    engine = started()
    engine.execution.emit(event)
    kind = type(event).__name__
    due = ["update files"] if isinstance(event, events.PhaseStarted) else []
    assert engine.calls == [f"observe {kind}", *due]


def test_a_nested_run_that_finishes_does_not_write_the_files_of_the_top_run() -> None:
    engine = started()
    engine.execution.emit(events.RunStarted("/0.0.0", "id-2", TIME, []))
    engine.calls.clear()
    engine.execution.emit(events.RunFinished("/0.0.0", TIME, "success", ""))
    assert engine.calls[-2:] == FLUSH
    assert "write files" not in engine.calls


def quiet(engine: Engine) -> Execution:
    return engine.execution.unobserved()


def test_an_unobserved_execution_keeps_events_and_logs_nothing() -> None:
    engine = started()
    execution = quiet(engine)
    execution.emit(events.ListRead(*STEP, ["a"]))
    execution.services.log.warning("w")
    execution.services.log.info("i")
    execution.flush()
    assert engine.calls == ["journal ListRead", "record ListRead", *FLUSH]
    assert engine.log.messages == engine.log.warnings == []


def test_context_values_that_must_not_change_are_read_once() -> None:
    engine = started()
    for _ in range(2):
        assert engine.execution.context("hostname") == "the hostname"
        assert engine.execution.context("date") == "the date"
    assert engine.machine.queried == ["hostname", "date", "date"]
    assert engine.calls.events() == ["ContextRead"]
    assert engine.execution.environment("HOME") == "/root"
