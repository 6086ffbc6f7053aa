"""When the journal is on the disk. ``fsync`` is replaced: what it does is the system's business."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from awstoe import limits
from awstoe.errors import RecordError
from awstoe.host.files import own_files
from awstoe.host.files.own_folder import OwnFolder
from awstoe.state.journal import Journal
from unit.host.programs import wait_until


class Disk:
    """Notes what is synced: the name of each file or folder, and its size."""

    def __init__(self) -> None:
        self.started = 0
        self.synced: list[tuple[str, int]] = []
        self.error: OSError | None = None
        self.ready = threading.Event()
        self.ready.set()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.synced]

    def fsync(self, descriptor: int) -> None:
        self.started += 1
        self.ready.wait()
        if self.error is not None:
            raise self.error
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        self.synced.append((os.path.basename(path), os.fstat(descriptor).st_size))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(os, "fsync", made.fsync)
    monkeypatch.setattr(limits, "JOURNAL_SYNC_SECONDS", 0.02)
    return made


@pytest.fixture
def journal(tmp_path: Path, disk: Disk) -> Iterator[Journal]:
    made = open_journal(tmp_path)
    yield made
    disk.ready.set()
    disk.error = None
    made.close()


def open_journal(folder: Path, base: Sequence[Path] = (), related: Sequence[Path] = ()) -> Journal:
    own = OwnFolder.open(str(folder))
    syncs = [
        [partial(own_files.sync_path, str(path)) for path in paths] for paths in (base, related)
    ]
    return Journal(own, "journal", *syncs)


def write_forever(journal: Journal) -> NoReturn:
    while True:
        journal.append(["step"])
        journal.flush()
        time.sleep(0.001)


def test_an_entry_is_synced_although_no_other_follows(journal: Journal, disk: Disk) -> None:
    journal.append(["first"])
    journal.flush()
    wait_until(lambda: disk.synced == [("journal", 10)])
    journal.append(["second"])
    journal.flush()
    wait_until(lambda: disk.synced == [("journal", 10), ("journal", 21)])


def test_what_is_written_during_a_sync_is_synced_after_it(journal: Journal, disk: Disk) -> None:
    disk.ready.clear()
    journal.append(["first"])
    journal.flush()
    wait_until(lambda: disk.started == 1)
    journal.append(["second"])
    journal.flush()
    disk.ready.set()
    wait_until(lambda: len(disk.synced) == 2)
    assert disk.synced[-1] == ("journal", 21)


def test_the_first_flush_waits_for_the_base_and_no_other_does(tmp_path: Path, disk: Disk) -> None:
    disk.ready.clear()
    (tmp_path / "manifest").touch()
    (tmp_path / "copy").touch()
    journal = open_journal(tmp_path, [tmp_path / "manifest", tmp_path], [tmp_path / "copy"])
    flushed: list[list[str]] = []

    def flush() -> None:
        journal.append(["step"])
        journal.flush()
        flushed.append(disk.names[:2])

    thread = threading.Thread(target=flush)
    thread.start()
    wait_until(lambda: (tmp_path / "journal").stat().st_size > 0)
    assert flushed == []
    disk.ready.set()
    thread.join()
    assert flushed == [["manifest", tmp_path.name]]
    wait_until(lambda: "copy" in disk.names)
    disk.ready.clear()
    journal.append(["step"])
    journal.flush()
    disk.ready.set()
    journal.close()


def test_a_related_file_that_a_step_has_removed_is_no_error(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "last").touch()
    journal = open_journal(tmp_path, [], [tmp_path / "gone", tmp_path / "last"])
    wait_until(lambda: "last" in disk.names)
    journal.append(["step"])
    journal.flush()
    journal.close()


def test_a_pipe_in_the_place_of_a_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Invalid argument"):
        own_files.sync_path(str(tmp_path / "pipe"))


def test_an_error_of_the_disk_is_reported_by_a_later_flush(journal: Journal, disk: Disk) -> None:
    disk.error = OSError(5, "Input/output error")
    with pytest.raises(RecordError, match=r"cannot write the run's state to .*: Input/output err"):
        write_forever(journal)


def test_an_error_with_the_base_is_reported_by_the_first_flush(tmp_path: Path, disk: Disk) -> None:
    disk.error = OSError(5, "Input/output error")
    journal = open_journal(tmp_path, [tmp_path])
    with pytest.raises(RecordError, match="Input/output error"):
        journal.flush()
    journal.close()
