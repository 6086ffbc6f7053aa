"""Updates on Windows, where running files are moved aside. ``test_windows`` runs this in Wine."""

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.errors import AwstoeError
from awstoe.host.executable import lock
from awstoe.host.files import access_lists_windows
from awstoe.update import recovery
from awstoe.update.decide import TargetMachine
from awstoe.update.install_record import InstallStep
from awstoe.update.workspace import Workspace
from fakes import release_server as tricks
from fakes.release_server import ReleaseServer
from fakes.releases import Keys, make_keys
from fakes.scene import Scene

assert sys.platform == "win32"

PROGRAMS = Path(os.environ["STAND_INS"])
WINDOWS = TargetMachine("windows", "amd64", None)
TARGET = ("windows", "amd64")
NEW = (PROGRAMS / "1.1.0.exe").read_bytes()


@pytest.fixture(scope="session")
def keys() -> Keys:
    return make_keys()


@pytest.fixture
def windows(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("awstoe.limits.UPDATE_RETRY_SECONDS", 0.02)
    old = (PROGRAMS / "1.0.0.exe").read_bytes()
    with ReleaseServer(tmp_path / "served") as server:
        scene = Scene(tmp_path, keys, server, old=old, machine=WINDOWS)
        scene.publisher.add("1.1.0", NEW, target=TARGET)
        yield scene


@pytest.fixture
def running(windows: Scene) -> Iterator["subprocess.Popen[bytes]"]:
    """The installed program, running."""
    process = subprocess.Popen(
        [windows.installation.path, "stay"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"running"
    yield process
    process.kill()
    process.communicate()


def names(scene: Scene) -> set[str]:
    return {path.name for path in scene.installation.bin.iterdir()}


def test_running_file_is_moved_aside(windows: Scene, running: "subprocess.Popen[bytes]") -> None:
    windows.updates_to("1.1.0")
    assert windows.installation.path.read_bytes() == NEW
    assert (windows.installation.bin / "awstoe.previous.exe").read_bytes() == windows.old
    assert running.poll() is None
    windows.updates_to("1.0.0", "--rollback")
    assert windows.installation.path.read_bytes() == windows.old
    expected = {
        *("awstoe.exe", "awstoe.exe.sig", "awstoe.previous.exe", "awstoe.previous.exe.sig"),
    }
    assert names(windows) == {*expected, ".awstoe.exe.update"}  # it contains the running file
    running.kill()
    running.wait()
    windows.updates_to("1.1.0")
    assert names(windows) == expected


def test_running_file_of_two_updates_ago_is_removed_later(
    windows: Scene, running: "subprocess.Popen[bytes]"
) -> None:
    """It cannot be removed while it is running; the next update removes it."""
    windows.updates_to("1.1.0")
    windows.publisher.add("1.2.0", (PROGRAMS / "1.2.0.exe").read_bytes(), target=TARGET)
    windows.updates_to("1.2.0")
    running.kill()
    running.wait()
    windows.publisher.add("1.3.0", (PROGRAMS / "1.3.0.exe").read_bytes(), target=TARGET)
    windows.updates_to("1.3.0")
    assert ".awstoe.exe.update" not in names(windows)


def test_sharing_violation_is_retried(windows: Scene) -> None:
    """A virus scanner holds the new file for a moment."""
    held: list[object] = []

    def listen(step: InstallStep) -> None:
        if step is InstallStep.BACKED_UP:
            staged = windows.installation.bin / ".awstoe.exe.update" / "new.exe"
            file = open(staged, "rb")  # noqa: SIM115 - such a handle prevents renaming
            held.append(file)
            threading.Timer(1.0, file.close).start()

    begin = time.monotonic()
    attempt = windows.installation.update(listener=listen)
    assert attempt.code == 0, attempt.stderr
    assert held
    assert time.monotonic() - begin > 0.5
    assert windows.installation.version_output() == "awstoe 1.1.0"


def test_failure_after_the_swap_is_rolled_back(windows: Scene) -> None:
    broken = (PROGRAMS / "broken.exe").read_bytes()
    windows.publisher.add("1.4.0", broken, target=TARGET)
    windows.before = windows.installation.on_disk()
    message = windows.refused(code=9)
    assert "1.0.0 is back" in message


@pytest.mark.parametrize(
    "step", [InstallStep.RECORDED, InstallStep.BACKED_UP, InstallStep.SWAPPED, InstallStep.HEALTHY]
)
def test_an_interrupted_update_recovers(windows: Scene, step: InstallStep) -> None:
    class Killed(BaseException):
        pass

    def listen(reached: InstallStep) -> None:
        if reached is step:
            raise Killed

    with pytest.raises(Killed):
        windows.installation.update(listener=listen)
    windows.installation.version = windows.installation.version_output().removeprefix("awstoe ")
    windows.updates_to("1.1.0")
    assert windows.installation.path.read_bytes() == NEW


def test_program_that_can_only_be_moved_aside_is_not_lost(
    windows: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process holds the files: neither the new program nor the old one gets the name."""
    real = os.replace

    def replace(old: str, new: str) -> None:
        if new == str(windows.installation.path):
            raise ctypes.WinError(32)
        real(old, new)

    monkeypatch.setattr("awstoe.host.executable.swap_windows._RETRY_SECONDS", 0.1)
    monkeypatch.setattr(os, "replace", replace)
    attempt = windows.update()
    assert attempt.code == 9, attempt.stderr
    old = windows.installation.bin / ".awstoe.exe.update/old.exe"
    assert f"it is {old}" in attempt.stderr
    assert f"hint: move it to {windows.installation.path}" in attempt.stderr
    assert old.read_bytes() == (PROGRAMS / "1.0.0.exe").read_bytes()


def test_path_of_the_previous_version_is_a_folder(windows: Scene) -> None:
    mine = windows.installation.bin / "awstoe.previous.exe/mine"
    mine.mkdir(parents=True)
    attempt = windows.update()
    assert (attempt.code, windows.installation.version_output()) == (0, "awstoe 1.1.0"), (
        attempt.stderr
    )
    assert "could not be kept" in attempt.result["warnings"][0]
    assert mine.is_dir()


def test_kill_between_the_two_renames_is_undone(windows: Scene) -> None:
    """The next update is started from the old program under another name."""
    work = windows.installation.bin / ".awstoe.exe.update"
    work.mkdir()
    os.rename(windows.installation.path, work / "old.exe")
    program = windows.installation.facts()._replace(path=str(windows.installation.path))
    with (
        Workspace(program.path) as workspace,
        pytest.raises(AwstoeError, match="previous version again"),
    ):
        recovery.recover(program, workspace, keep=lambda _: False, warn=print)
    assert windows.installation.version_output() == "awstoe 1.0.0"


def test_run_and_update_exclude_each_other(windows: Scene) -> None:
    run = lock.lock_shared(str(windows.installation.path))
    assert run is not None
    other = lock.lock_shared(str(windows.installation.path))
    assert other is not None
    assert lock.lock_exclusive(str(windows.installation.path)) is None
    assert "a run of" in windows.refused(code=75)
    os.close(run)
    os.close(other)
    windows.updates_to("1.1.0")


@pytest.mark.parametrize(("code", "ends"), [(50, 0), (5, 6)])
def test_disk_without_access_lists(
    windows: Scene, monkeypatch: pytest.MonkeyPatch, code: int, ends: int
) -> None:
    """FAT returns ERROR_NOT_SUPPORTED (50); ERROR_ACCESS_DENIED (5) is a failure."""

    def refuse(*_: object) -> None:
        raise ctypes.WinError(code)

    monkeypatch.setattr(access_lists_windows, "preserve", refuse)
    assert windows.update().code == ends


def test_wrong_file_is_rejected(windows: Scene) -> None:
    windows.server.tricks["*/1.1.0/windows/amd64/awstoe.exe"] = tricks.replaced(bytes(len(NEW)))
    assert "is not the file that the metadata describes" in windows.refused()
