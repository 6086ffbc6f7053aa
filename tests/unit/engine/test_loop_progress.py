"""How far a loop has got, in the journal and in the log."""

import time

import pytest

from awstoe import limits
from awstoe.engine import events
from awstoe.engine.events import StepAddress
from awstoe.engine.loop_progress import LoopProgress, log_progress
from fakes.executions import TIME, Calls, Engine, FakeLog

STEP = StepAddress("", 0, 0, 0)
FIRST = limits.LOGGED_ITERATIONS


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.execution.emit(events.RunStarted("", "id-1", TIME, []))
    engine.execution.emit(events.DocumentStarted("", 0, TIME))
    engine.execution.emit(events.PhaseStarted("", 0, 0, TIME))
    engine.execution.emit(events.StepStarted(*STEP, TIME))
    engine.observer.received.clear()
    return engine


def last_iterations(engine: Engine) -> list[int]:
    return [
        event.last
        for event in engine.observer.received
        if isinstance(event, events.IterationsFinished)
    ]


def test_each_of_the_first_iterations_is_kept(engine: Engine) -> None:
    progress = LoopProgress(engine.execution, STEP, -1)
    for index in range(3):
        progress.finished(index, [{"stdout": str(index)}])
    progress.flush()
    assert last_iterations(engine) == [0, 1, 2]
    record = engine.records.step(*STEP)
    assert record.last_iteration == 2
    assert record.partial is not None
    assert record.partial.outputs() == [{"stdout": "0\n1\n2"}]


def test_later_iterations_are_kept_together(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = LoopProgress(engine.execution, STEP, FIRST - 1)
    for index in range(FIRST, FIRST + 200):
        now += limits.JOURNAL_SYNC_SECONDS / 100
        progress.finished(index, [])
    assert last_iterations(engine) == [(FIRST + 100) // 64 * 64 + 64]
    progress.flush()
    progress.flush()
    assert last_iterations(engine)[1:] == [FIRST + 199]


def test_nothing_is_written_for_a_loop_without_iterations(engine: Engine) -> None:
    LoopProgress(engine.execution, STEP, 4).flush()
    assert last_iterations(engine) == []


@pytest.mark.parametrize(
    ("index", "lines"),
    [
        (FIRST, 1),
        (FIRST + 1, 0),
        (limits.LOGGED_ITERATION_STRIDE, 1),
        (limits.LOGGED_ITERATION_STRIDE + 1, 0),
    ],
)
def test_a_long_loop_logs_one_line_per_stride(index: int, lines: int) -> None:
    log = FakeLog(Calls())
    log_progress(log, index, 10**6)
    assert len(log.messages) == lines
