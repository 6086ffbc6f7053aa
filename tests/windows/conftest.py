"""Tests that need Windows. Elsewhere ``test_under_wine`` runs them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe import limits
from awstoe.host.process import children
from unit.host.programs import Runner

_HERE = Path(__file__).parent
_BRIDGE = "test_under_wine.py"
collect_ignore = (
    [_BRIDGE]
    if sys.platform == "win32"
    else [path.name for path in _HERE.glob("test_*.py") if path.name != _BRIDGE]
)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Runs programs, and kills what a test leaves running, by the IDs in the file ``pids``."""
    yield Runner(tmp_path)
    children.drain_end()
    pids = tmp_path / "pids"
    for word in pids.read_text().split() if pids.exists() else ():
        if children.identity(int(word)):
            os.kill(int(word), 9)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TERM_GRACE_SECONDS", 0.4)
    monkeypatch.setattr(limits, "PIPE_HELD_OPEN_SECONDS", 1.0)
