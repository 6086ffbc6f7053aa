"""Real child processes for tests: bash scripts, and other interpreters that import awstoe."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from awstoe import limits
from awstoe.host.process import children
from unit.host.programs import Driver, Runner, running


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    yield Runner(tmp_path)
    children.drain_end()
    pids = tmp_path / "pids"
    for word in pids.read_text().split() if pids.exists() else ():
        if running(int(word)):
            os.kill(int(word), 9)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 0.4)
    monkeypatch.setattr(limits, "PIPE_HELD_OPEN_SECONDS", 0.4)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """Return a function that runs a program in another interpreter."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, before: Sequence[str] = ()) -> "subprocess.Popen[str]":
        file = tmp_path / f"driver{len(started)}.py"
        file.write_text(program)
        child = subprocess.Popen(
            [*before, sys.executable, str(file)],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.wait()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
