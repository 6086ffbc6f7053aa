"""Progress as plain lines."""

import time

import pytest

from awstoe.reporting.progress import PlainProgress


def test_a_step_that_runs_a_document_lasts_as_long_as_the_steps_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 1.0, 3.0, 4.0, 9.0, 10.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    lines: list[str] = []
    progress = PlainProgress(lines.append)
    progress.step("build", "Outer", "ExecuteDocument")
    for name in ("First", "Second"):
        progress.step("build", name, "ExecuteBash")
        progress.step_end("build", name, "success", "")
    progress.step_end("build", "Outer", "success", "")
    assert [line for line in lines if " in " in line] == [
        "  build/First: success in 2.0 s",
        "  build/Second: success in 5.0 s",
        "  build/Outer: success in 10.0 s",
    ]
