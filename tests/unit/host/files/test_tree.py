"""Whole folders: nothing outside ever changes, even in a race."""

import errno
import os
import sys
from pathlib import Path

import pytest

from awstoe.actions import delete_folder
from awstoe.errors import ActionError, TimeoutExceeded
from awstoe.host.files import oserrors
from fakes.action_context import RecordingContext

if sys.platform == "win32":
    pytest.skip("descriptors of folders", allow_module_level=True)

from awstoe.host.files import tree_linux

Checkpoint = RecordingContext().checkpoint


@pytest.mark.parametrize("path", ["/", "//", "/.", "/tmp/..", "/tmp/../", "/proc/self/root"])
def test_the_root_is_never_deleted(path: str) -> None:
    # No checkpoint runs: without the check, the walk would stop before its first file.
    with pytest.raises(ActionError):
        delete_folder.run(delete_folder.Inputs(path, force=True), RecordingContext(checkpoints=0))


def test_a_folder_swapped_for_a_link_during_the_walk_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    target = tmp_path / "a"
    (target / "sub").mkdir(parents=True)
    (target / "file").write_text("x")

    def swap() -> None:
        if (target / "sub").is_dir() and not (target / "sub").is_symlink():
            (target / "sub").rmdir()
            (target / "sub").symlink_to(outside)

    with pytest.raises(OSError, match="sub"):
        tree_linux.remove(str(target), swap)
    assert (outside / "precious").read_text() == "x"


def test_a_folder_moved_away_during_the_walk_stops_it(tmp_path: Path) -> None:
    target, away = tmp_path / "a", tmp_path / "away"
    away.mkdir()
    (away / "precious").write_text("x")
    (target / "sub").mkdir(parents=True)
    (target / "sub" / "file").write_text("x")
    calls = []

    def move() -> None:
        calls.append(1)
        if len(calls) == 2:  # inside sub, before its file is removed
            (target / "sub").rename(away / "sub")

    with pytest.raises(ActionError, match="was moved by another program"):
        tree_linux.remove(str(target), move)
    assert (away / "precious").read_text() == "x"


def test_a_tree_deeper_than_any_limit_is_removed(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    os.mkdir("deep", dir_fd=folder)
    here = os.open("deep", os.O_RDONLY, dir_fd=folder)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    os.close(folder)
    tree_linux.remove(str(tmp_path / "deep"), Checkpoint)
    assert os.listdir(tmp_path) == []


def test_removal_stops_at_a_timeout(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / str(number)).write_text("x")
    with pytest.raises(TimeoutExceeded):
        tree_linux.remove(str(tmp_path), RecordingContext(checkpoints=2).checkpoint)
    assert len(os.listdir(tmp_path)) == 3


def test_errors_name_the_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "f").write_text("x")

    def refuse(name: str, *, dir_fd: int) -> None:
        raise PermissionError(errno.EPERM, "no", name, dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(OSError, match="no") as caught:
        tree_linux.remove(str(tmp_path / "a"), Checkpoint)
    assert caught.value.filename == str(tmp_path / "a" / "b" / "f")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    tree_linux.set_permissions(str(tmp_path / "a"), 0o755, Checkpoint)
    with pytest.raises(TimeoutExceeded):
        tree_linux.remove(str(tmp_path / "a"), RecordingContext(checkpoints=1).checkpoint)
    tree_linux.remove(str(tmp_path / "a"), Checkpoint)
    assert len(os.listdir("/proc/self/fd")) == before


def test_permissions_are_set_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_text("x")
    chmod = os.chmod

    def without_proc(path: str, mode: int) -> None:
        if path.startswith("/proc/"):
            raise FileNotFoundError(errno.ENOENT, "no", path)
        chmod(path, mode)

    monkeypatch.setattr(os, "chmod", without_proc)
    tree_linux.set_permissions(str(tmp_path / "a"), 0o700, Checkpoint)
    assert (tmp_path / "a" / "f").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "permission denied"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "mounted read-only"),
        (errno.EISDIR, "it is a folder"),
        (errno.ENOTDIR, "a part of the path is a file"),
        (errno.ELOOP, "form a circle"),
        (errno.ENAMETOOLONG, "the name is too long"),
        (errno.ETXTBSY, "the program is running"),
        (errno.EDQUOT, "quota"),
        (errno.EBUSY, "in use"),
    ],
)
def test_system_errors_are_explained_with_what_to_do(number: int, reason: str) -> None:
    explanation = oserrors.explain(OSError(number, os.strerror(number), "/a/b"))
    assert reason in explanation.reason
    assert explanation.reason.endswith("'/a/b'")
    assert explanation.hint


def test_an_unknown_system_error_keeps_the_systems_text() -> None:
    explanation = oserrors.explain(OSError(errno.ECHILD, os.strerror(errno.ECHILD), "a", None, "b"))
    assert explanation.reason == f"{os.strerror(errno.ECHILD)}: 'a' -> 'b'"


@pytest.mark.parametrize("what", ["owner", "permissions"])
def test_a_folder_swapped_for_a_link_during_the_walk_is_changed_itself(
    tmp_path: Path, what: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    target, moved = tmp_path / "a", tmp_path / "moved"
    target.mkdir()
    (target / "file").touch()

    def swap() -> None:
        if not moved.exists():
            target.rename(moved)
            target.symlink_to(outside)

    before = outside.stat()
    if what == "owner":
        group = 65534 if os.geteuid() == 0 else os.getegid()
        tree_linux.set_owner(str(target), -1, group, swap)
        assert moved.stat().st_gid == group
    else:
        tree_linux.set_permissions(str(target), 0o750, swap)
        assert moved.stat().st_mode & 0o777 == 0o750
    assert outside.stat() == before
