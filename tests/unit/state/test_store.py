"""The lock and the manifest of the state folder, with several processes."""

import fcntl
import os
from pathlib import Path

import pytest

from awstoe.errors import HostError
from awstoe.host.files import locks
from awstoe.state import store


def test_a_lock_file_removed_by_its_holder_locks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    real = fcntl.flock

    def holder_ends(descriptor: int, operation: int) -> None:
        path.unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", holder_ends)
    assert locks.acquire(str(path)) is None
    monkeypatch.undo()
    descriptor = locks.acquire(str(path))
    assert descriptor is not None
    assert locks.acquire(str(path)) is None
    os.close(descriptor)


def test_a_run_that_finishes_while_another_process_opens_it_is_not_started_again(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state"
    with pytest.raises(HostError, match="no state of an unfinished run"):
        store.open_existing(str(folder))
    assert not folder.exists()
