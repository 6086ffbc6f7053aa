"""The lock and the manifest of the state folder, with several processes."""

import errno
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


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOLCK, "lock, as its file system does not support locks: "),
        (errno.EOPNOTSUPP, "lock, as its file system does not support locks: "),
        (errno.EIO, "lock: "),
    ],
)
def test_a_file_system_without_locks_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, reason: str
) -> None:
    path = tmp_path / "lock"
    opened = []

    def fails(descriptor: int, _: int) -> None:
        opened.append(descriptor)
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", fails)
    with pytest.raises(HostError) as raised:
        locks.acquire(str(path))
    assert raised.value.message == f"cannot lock {tmp_path}/{reason}{os.strerror(code)}"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_a_run_that_finishes_while_another_process_opens_it_is_not_started_again(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state"
    with pytest.raises(HostError, match="no state of an unfinished run"):
        store.open_existing(str(folder))
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"\0" * 400])
def test_a_manifest_that_a_power_failure_emptied_is_no_run(tmp_path: Path, content: bytes) -> None:
    (tmp_path / store.MANIFEST).write_bytes(content)
    assert store.read_manifest(str(tmp_path)) is None
    (tmp_path / store.JOURNAL).touch()
    assert store.read_manifest(str(tmp_path)) is None
    (tmp_path / store.JOURNAL).write_text('["runStarted"]\n')
    with pytest.raises(HostError, match="the state of the run is damaged"):
        store.read_manifest(str(tmp_path))
