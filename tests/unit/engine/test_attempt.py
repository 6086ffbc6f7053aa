"""One attempt at a step: its deadline."""

import time

import pytest

from awstoe.engine.attempt import Attempt
from awstoe.errors import TimeoutExceeded


def test_an_attempt_starts_with_nothing_done() -> None:
    attempt = Attempt(2, 10)
    assert (attempt.number, attempt.iteration, attempt.capped, attempt.printed) == (
        2,
        None,
        False,
        None,
    )


@pytest.mark.parametrize(
    ("timeout", "passed", "in_time"),
    [(-1, 10**9, True), (0, 0, False), (10, 9.5, True), (10, 10, False), (10, 11, False)],
)
def test_the_deadline_counts_from_the_start_of_the_attempt(
    monkeypatch: pytest.MonkeyPatch, timeout: int, passed: float, *, in_time: bool
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    attempt = Attempt(1, timeout)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + passed)
    if in_time:
        attempt.check_time()
    else:
        with pytest.raises(TimeoutExceeded):
            attempt.check_time()
