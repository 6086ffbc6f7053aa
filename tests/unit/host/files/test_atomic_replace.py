"""What happens to the old file if it cannot be replaced."""

import errno
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.actions import append_file, copy_file, create_file, move_file, move_folder
from awstoe.actions import set_file_encoding as set_encoding
from awstoe.errors import ActionError, TimeoutExceeded
from awstoe.host.files import targets
from awstoe.host.files.atomic_replace import AtomicReplacement
from fakes.action_context import RecordingContext

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX processes")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 100,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_leaves_the_old_file_of_create_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ActionError, match="the file would be too large"):
        create_file.run(create_file.Inputs(str(path), "x" * 200_000), RecordingContext())
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_leaves_the_old_file_of_set_file_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x" * 60_000)
    with pytest.raises(ActionError, match="the file would be too large"):
        set_encoding.run(set_encoding.Inputs(str(path), "utf-16-le"), RecordingContext())
    assert path.read_text() == "x" * 60_000
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_removes_what_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x" * 60_000)
    with pytest.raises(ActionError, match=f"the file would be too large: '{path}'"):
        append_file.run(append_file.Inputs(str(path), "y" * 60_000), RecordingContext())
    assert path.read_text() == "x" * 60_000


def test_a_full_disk_leaves_the_old_file_of_copy_file(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source, path = tmp_path / "s", tmp_path / "d"
    source.write_text("x" * 200_000)
    path.write_text("old")
    request.getfixturevalue("small_disk")
    with pytest.raises(ActionError, match="the file would be too large"):
        copy_file.run(copy_file.Inputs(str(source), str(path)), RecordingContext())
    assert path.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["d", "s"]


def test_a_timeout_in_the_middle_of_a_copy_leaves_the_old_file(tmp_path: Path) -> None:
    source, path = tmp_path / "s", tmp_path / "d"
    source.write_bytes(b"x" * 20_000_000)
    path.write_text("old")
    with pytest.raises(TimeoutExceeded):
        copy_file.run(copy_file.Inputs(str(source), str(path)), RecordingContext(checkpoints=2))
    assert path.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["d", "s"]


def test_a_mount_point_is_rewritten_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As /etc/hosts in a container, which cannot be renamed over."""
    path = tmp_path / "hosts"
    path.write_text("old and longer")
    path.chmod(0o640)
    inode = path.stat().st_ino

    def busy(source: str, destination: str) -> None:
        raise OSError(errno.EBUSY, "busy", source, None, destination)

    monkeypatch.setattr(os, "replace", busy)
    create_file.run(create_file.Inputs(str(path), "new"), RecordingContext())
    create_file.run(create_file.Inputs(str(path), "more", permissions=0o600), RecordingContext())
    assert path.read_text() == "more"
    assert path.stat().st_ino == inode
    assert path.stat().st_mode & 0o7777 == 0o600
    assert os.listdir(tmp_path) == ["hosts"]


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with AtomicReplacement(str(path), overwrite=False) as new:
        new.write(b"mine")
        path.write_text("theirs")
        with pytest.raises(ActionError, match="already exists and overwrite is false"):
            new.commit()
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["a"]


def test_without_hard_links_a_new_file_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, destination: str) -> None:
        raise PermissionError(errno.EPERM, "no hard links here", source, None, destination)

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a"
    create_file.run(create_file.Inputs(str(path), "new", overwrite=False), RecordingContext())
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a"]


def test_a_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    with AtomicReplacement(str(tmp_path / "a"), mode=0o600) as new:
        assert os.fstat(new.descriptor).st_mode & 0o777 == 0o600


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system")
    place = other / f"awstoe-test-{os.getpid()}-{os.urandom(4).hex()}"
    place.mkdir()
    yield place
    for folder, _, names in os.walk(place, topdown=False):
        for name in names:
            os.unlink(os.path.join(folder, name))
        for name in os.listdir(folder):
            entry = os.path.join(folder, name)
            os.unlink(entry) if os.path.islink(entry) else os.rmdir(entry)
    place.rmdir()


def test_a_file_moves_between_file_systems_with_mode_and_times(
    tmp_path: Path, elsewhere: Path
) -> None:
    source, path = tmp_path / "s", elsewhere / "d"
    source.write_text("x")
    source.chmod(0o4750)
    os.utime(source, (1_000_000_000, 1_000_000_001))
    path.write_text("old")
    move_file.run(move_file.Inputs(str(source), str(path)), RecordingContext())
    assert not source.exists()
    assert path.read_text() == "x"
    assert path.stat().st_mode & 0o7777 == 0o4750
    assert path.stat().st_mtime == 1_000_000_001
    assert os.listdir(elsewhere) == ["d"]


def test_a_link_moves_between_file_systems(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "s").symlink_to("gone")
    move_file.run(move_file.Inputs(str(tmp_path / "s"), str(elsewhere / "d")), RecordingContext())
    assert (elsewhere / "d").readlink() == Path("gone")
    assert os.listdir(tmp_path) == []


def test_a_folder_moves_between_file_systems(tmp_path: Path, elsewhere: Path) -> None:
    source = tmp_path / "s"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "f").write_text("x")
    (source / "link").symlink_to("sub")
    (source / "sub").chmod(0o2750)
    os.utime(source, (1_000_000_000, 1_000_000_001))
    move_folder.run(move_folder.Inputs(str(source), str(elsewhere / "x" / "d")), RecordingContext())
    moved = elsewhere / "x" / "d"
    assert not source.exists()
    assert (moved / "sub" / "f").read_text() == "x"
    assert (moved / "sub").stat().st_mode & 0o7777 == 0o2750
    assert (moved / "link").readlink() == Path("sub")
    assert moved.stat().st_mtime == 1_000_000_001
    assert os.listdir(elsewhere / "x") == ["d"]


def test_a_folder_merges_between_file_systems(tmp_path: Path, elsewhere: Path) -> None:
    source, target = tmp_path / "s", elsewhere / "d"
    (source / "both").mkdir(parents=True)
    (source / "own").mkdir()
    (source / "own" / "f").write_text("x")
    (source / "both" / "f").write_text("new")
    (target / "both").mkdir(parents=True)
    (target / "both" / "f").write_text("old")
    (target / "both" / "keep").write_text("kept")
    move_folder.run(move_folder.Inputs(str(source), str(target)), RecordingContext())
    assert not source.exists()
    assert (target / "both" / "f").read_text() == "new"
    assert sorted(os.listdir(target / "both")) == ["f", "keep"]
    assert (target / "own" / "f").read_text() == "x"


def test_a_folder_that_cannot_be_copied_completely_is_not_moved(
    tmp_path: Path, elsewhere: Path
) -> None:
    source = tmp_path / "s"
    source.mkdir()
    (source / "a").write_text("x")
    os.mkfifo(source / "pipe")
    with pytest.raises(ActionError, match="pipe' is a named pipe"):
        move_folder.run(move_folder.Inputs(str(source), str(elsewhere / "d")), RecordingContext())
    assert sorted(os.listdir(source)) == ["a", "pipe"]
    assert os.listdir(elsewhere) == []


def test_a_move_that_is_stopped_leaves_the_source(tmp_path: Path, elsewhere: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    for number in range(10):
        (source / str(number)).write_text("x")
    with pytest.raises(TimeoutExceeded):
        move_folder.run(
            move_folder.Inputs(str(source), str(elsewhere / "d")), RecordingContext(checkpoints=5)
        )
    assert len(os.listdir(source)) == 10
    assert os.listdir(elsewhere) == []


def swapped_for_a_link(folder: Path, outside: Path) -> Path:
    """Put a link to ``outside`` in the place of a folder; return where the folder is now."""
    moved = folder.with_name("moved")
    folder.rename(moved)
    folder.symlink_to(outside)
    return moved


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_swapped_for_a_link_does_not_lead_elsewhere(
    tmp_path: Path, *, overwrite: bool
) -> None:
    folder, outside = tmp_path / "a", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    if overwrite:
        (folder / "f").write_text("old")
        (outside / "f").write_text("precious")
    with AtomicReplacement(str(folder / "f"), overwrite=overwrite) as new:
        moved = swapped_for_a_link(folder, outside)
        new.write(b"new")
        new.commit()
    assert {path.name: path.read_text() for path in moved.iterdir()} == {"f": "new"}
    assert [path.read_text() for path in outside.iterdir()] == (["precious"] if overwrite else [])


def test_what_is_held_is_changed_after_a_swap(tmp_path: Path) -> None:
    folder, outside = tmp_path / "a", tmp_path / "outside"
    for each in (folder, outside):
        each.mkdir()
        (each / "f").touch(mode=0o600)
    with targets.held(str(folder / "f")) as held:
        moved = swapped_for_a_link(folder, outside)
        os.chmod(held, 0o640)
    assert (moved / "f").stat().st_mode & 0o777 == 0o640
    assert (outside / "f").stat().st_mode & 0o777 == 0o600


def test_a_circle_of_links_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ActionError, match="form a circle"):
        create_file.run(create_file.Inputs(str(tmp_path / "a"), "x"), RecordingContext())
