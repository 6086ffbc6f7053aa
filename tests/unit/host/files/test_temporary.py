import errno
import os
import re
import stat
import struct
from pathlib import Path

import pytest

from awstoe.errors import HostError
from awstoe.host.files import temporary, trusted_paths


def test_folder_is_private_and_has_a_name_as_awstoes(tmp_path: Path) -> None:
    folder = temporary.make_folder(str(tmp_path))
    assert re.fullmatch(r"AWSTOE\d+", os.path.basename(folder))
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def test_folder_is_made_in_tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert os.path.dirname(temporary.make_folder()) == str(tmp_path)
    monkeypatch.delenv("TMPDIR")
    assert temporary.parent_folder() == "/tmp"


def test_a_relative_tmpdir_becomes_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", ".")
    assert os.path.isabs(temporary.make_folder())


def test_two_folders_have_two_names(tmp_path: Path) -> None:
    assert len({temporary.make_folder(str(tmp_path)) for _ in range(50)}) == 50


def test_script_has_the_text_and_is_private(tmp_path: Path) -> None:
    path = temporary.write_script(str(tmp_path), "echo 'ä'\n\udcff", ".sh")
    assert re.fullmatch(r"script-\d+\.sh", os.path.basename(path))
    assert Path(path).read_bytes() == "echo 'ä'\n".encode() + b"\xff"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700


def test_script_that_cannot_be_encoded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="its character 3 is half"):
        temporary.write_script(str(tmp_path), "ab\ud800", ".sh")


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.ENOSPC, "full"), (errno.EACCES, "can write"), (errno.ENOENT, "exist")],
)
def test_parent_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, hint: str
) -> None:
    def refuse(path: str, *_: object) -> None:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(os, "mkdir", refuse)
    monkeypatch.setattr(os, "open", refuse)
    for make in (
        lambda: temporary.make_folder(str(tmp_path)),
        lambda: temporary.write_script(str(tmp_path), "", ".sh"),
        lambda: temporary.unnamed_file(str(tmp_path)),
    ):
        with pytest.raises(HostError) as caught:
            make()
        assert str(tmp_path) in caught.value.message
        assert hint in (caught.value.hint or "")


def test_removal_includes_everything_inside_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = Path(temporary.make_folder(str(tmp_path)))
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").touch(mode=0o400)
    (folder / "a" / "link").symlink_to(outside)
    (folder / "dangling").symlink_to("/no/such/file")
    os.mkfifo(folder / "fifo")
    temporary.remove_folder(str(folder))
    assert sorted(os.listdir(tmp_path)) == ["outside"]
    assert os.listdir(outside) == ["kept"]


def test_removal_of_a_link_in_place_of_the_folder_removes_only_the_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    (tmp_path / "AWSTOE1").symlink_to(tmp_path / "outside")
    temporary.remove_folder(str(tmp_path / "AWSTOE1"))
    assert os.listdir(tmp_path / "outside") == ["kept"]
    assert os.listdir(tmp_path) == ["outside"]


def test_removal_of_a_missing_folder_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "AWSTOE2").mkdir()
    temporary.remove_folder(str(tmp_path / "AWSTOE1"))
    assert os.listdir(tmp_path) == ["AWSTOE2"]


def test_removal_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "AWSTOE1").touch()
    with pytest.raises(HostError, match="Cannot remove the temporary folder"):
        temporary.remove_folder(str(tmp_path / "AWSTOE1"))


def test_unnamed_file_can_be_read_again_and_leaves_no_name(tmp_path: Path) -> None:
    with temporary.unnamed_file(str(tmp_path)) as file:
        file.write(b"abc")
        file.seek(0)
        assert file.read() == b"abc"
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("mode", "used"), [(0o777, False), (0o1777, True), (0o700, True)])
def test_a_folder_in_which_others_can_replace_what_is_in_it_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, *, used: bool
) -> None:
    """Another user could put a script of his own into the place of the step's."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.setenv("TMPDIR", str(folder))
    made = temporary.make_folder()
    temporary.remove_folder(made)
    assert (Path(made).parent == folder) == used
    assert bool(temporary.warnings()) == (not used)


@pytest.mark.parametrize(("rights", "listed"), [(7, True), (5, False)])
def test_an_access_list_that_lets_others_write_is_a_risk(
    tmp_path: Path, rights: int, *, listed: bool
) -> None:
    """The mode shows the rights of its users as those of the group."""
    if os.getegid() != os.geteuid():
        pytest.skip("this user's group is not theirs alone")
    entries = (1, 7, -1), (2, rights, 65533), (4, 0, -1), (16, rights, -1), (32, 0, -1)
    packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(tmp_path, "system.posix_acl_access", struct.pack("<I", 2) + packed)
    assert trusted_paths.risk(str(tmp_path)).endswith("users in its access list") == listed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_that_another_group_can_write_is_a_risk(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    assert not trusted_paths.risk(str(tmp_path))
    os.chown(tmp_path, 0, 65533)
    assert trusted_paths.risk(str(tmp_path)).endswith("by the group with the ID 65533")
