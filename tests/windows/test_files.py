"""Files on Windows: open in other programs, read-only, with long paths, locked."""

import errno
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from awstoe.actions import list_files
from awstoe.actions.schema import typed_inputs
from awstoe.errors import ActionError
from awstoe.host import kernel32_windows
from awstoe.host.files import (
    access_lists_windows,
    copying,
    file_types,
    long_paths,
    moving,
    oserrors,
    own_files,
    renaming,
    temporary,
    tree,
)
from awstoe.host.files.own_folder import OwnFolder
from fakes.action_context import RecordingContext

assert sys.platform == "win32"


def checkpoint() -> None:
    pass


def held(path: Path, seconds: float) -> "subprocess.Popen[bytes]":
    """Start a program that keeps ``path`` open, so that it cannot be renamed or removed."""
    program = (
        f"import time; file = open({str(path)!r}, 'rb'); print(flush=True); time.sleep({seconds})"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read(1)
    return child


def test_file_that_is_open_for_a_moment_is_replaced_later(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with held(path, 0.3):
        own_files.replace_file(str(path), [b"new"])
        assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.json"]


def test_file_that_stays_open_is_reported_as_in_use(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    start = time.monotonic()
    with held(path, 60) as holder:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its text is checked below
            renaming.unlink(str(path))
        holder.kill()
    assert time.monotonic() - start < 20
    reason, hint = oserrors.explain(caught.value)
    assert f"'{path}'" in reason
    assert hint is not None


def test_read_only_files_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "f").write_text("x")
    (folder / "f").chmod(stat.S_IREAD)
    tree.remove(str(tmp_path / "a"), checkpoint)
    assert os.listdir(tmp_path) == []


def deepen(folder: Path, parts: int) -> str:
    """Make nested folders and return the last one, in its long form."""
    path = long_paths.deep(str(folder))
    for _ in range(parts):
        path += "\\" + "x" * 40
        os.mkdir(path)
    return path


def test_trees_deeper_than_260_characters_are_copied_moved_listed_and_removed(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").mkdir()
    deepest = deepen(tmp_path / "a", 8)
    with open(deepest + "\\f.txt", "w") as file:
        file.write("x")
    copied = copying.copy_folder(str(tmp_path / "a"), str(tmp_path / "b"), checkpoint=checkpoint)
    assert copied == 1
    (tmp_path / "c").mkdir()
    moving.move_folder(str(tmp_path / "b"), str(tmp_path / "c"), checkpoint=checkpoint)
    inputs = list_files.Inputs(str(tmp_path / "c"), recursive=True)
    listed = list_files.run(inputs, RecordingContext()).files
    assert listed == str(tmp_path / "c") + ("\\" + "x" * 40) * 8 + "\\f.txt"
    for name in ("a", "c"):
        tree.remove(str(tmp_path / name), checkpoint)
    assert os.listdir(tmp_path) == []


def test_long_path_of_an_input_is_usable_and_shown_as_given(tmp_path: Path) -> None:
    long = str(tmp_path) + ("\\" + "x" * 40) * 8
    inputs = typed_inputs("CreateFolder", {"path": long})
    assert os.path.isabs(inputs.path)  # type: ignore[attr-defined] # of the action's own type
    os.makedirs(inputs.path)  # type: ignore[attr-defined]
    assert oserrors.quoted(inputs.path) == f"'{long}'"  # type: ignore[attr-defined]
    tree.remove(str(tmp_path / ("x" * 40)), checkpoint)


@pytest.mark.parametrize("name", ["NUL", "con.txt", "a.", "a?b"])
def test_name_of_a_device_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="Windows"):
        typed_inputs("CreateFile", {"path": str(tmp_path / name), "content": "lost"})


def test_folder_with_content_is_reported_as_not_empty(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").touch()
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is checked below
        renaming.rmdir(str(tmp_path / "a"))
    assert caught.value.errno == errno.ENOTEMPTY


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (5, "access is denied"),
        (32, "another program has it open"),
        (112, "the disk is full"),
        (123, "the name cannot be used here"),
        (1314, "creating links needs a privilege"),
        (1_000_000, "odd"),
    ],
)
def test_codes_of_the_system_are_explained(code: int, reason: str) -> None:
    error = OSError(0, "odd", "C:\\a", code)
    assert oserrors.explain(error).reason.startswith(reason)
    assert r"'C:\a'" in oserrors.explain(error).reason


def test_lock_is_exclusive_and_its_file_is_removed(tmp_path: Path) -> None:
    folder = OwnFolder.open(str(tmp_path))
    descriptor = folder.lock("lock")
    assert descriptor is not None
    assert folder.lock("lock") is None
    folder.unlock("lock", descriptor)
    folder.close()
    assert os.listdir(tmp_path) == []


def test_open_folder_of_a_run_cannot_be_moved_or_removed(tmp_path: Path) -> None:
    """Windows, unlike Wine, does not move the folders above it either."""
    folder = OwnFolder.make(str(tmp_path / "above" / "logs"))
    path = Path(folder.path)
    with pytest.raises(PermissionError):
        path.rename(tmp_path / "moved")
    with pytest.raises(PermissionError):
        path.rmdir()
    folder.replace("records.json", [b"old"])
    folder.replace("records.json", [b"new"])
    assert folder.is_in_place()
    assert (path / "records.json").read_bytes() == b"new"
    folder.unlink("records.json")
    folder.remove()
    assert not path.exists()


def test_temporary_files_are_removed(tmp_path: Path) -> None:
    folder = temporary.make_folder(str(tmp_path))
    script = temporary.write_script(folder, "\ufeffWrite-Host 'ä'\n", ".ps1")
    assert Path(script).read_bytes() == b"\xef\xbb\xbf" + "Write-Host 'ä'\n".encode()
    with temporary.unnamed_file(folder) as file:
        file.write(b"a\nb")
        file.seek(0)
        assert file.read() == b"a\nb"
    assert len(os.listdir(folder)) == 1
    Path(script).chmod(stat.S_IREAD)
    temporary.remove_folder(folder)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", ["", None])
def test_temporary_folder_is_the_systems_by_default(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    for name in ("TMP", "TEMP"):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert temporary.parent_folder().lower() == r"c:\windows\temp"


def test_junctions_are_links(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").touch()
    (tmp_path / "a").mkdir()
    made = subprocess.run(
        ["cmd", "/c", "mklink", "/j", str(tmp_path / "a" / "j"), str(tmp_path / "outside")],
        capture_output=True,
        check=False,
    )
    if made.returncode or not os.path.lexists(tmp_path / "a" / "j"):
        pytest.skip("this machine does not support junctions")
    assert file_types.file_type(str(tmp_path / "a" / "j")) is file_types.FileType.LINK
    with pytest.raises(ActionError):
        moving.move_folder(str(tmp_path / "a" / "j"), str(tmp_path / "b"), checkpoint=checkpoint)
    tree.remove(str(tmp_path / "a"), checkpoint)
    assert os.listdir(tmp_path / "outside") == ["precious"]


def test_replaced_file_stays_hidden(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    kernel32_windows.api.SetFileAttributesW(str(path), stat.FILE_ATTRIBUTE_HIDDEN)
    (tmp_path / "new.txt").write_text("new")
    copying.copy_file(str(tmp_path / "new.txt"), str(path), checkpoint=checkpoint)
    assert path.read_text() == "new"
    assert path.stat().st_file_attributes & stat.FILE_ATTRIBUTE_HIDDEN


def test_file_that_must_be_new_replaces_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    with pytest.raises(ActionError, match="overwrite is false"):
        copying.copy_file(
            str(tmp_path / "a"), str(tmp_path / "B"), checkpoint=checkpoint, overwrite=False
        )
    copying.copy_file(
        str(tmp_path / "a"), str(tmp_path / "c"), checkpoint=checkpoint, overwrite=False
    )
    contents = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert contents == {"a": "a", "b": "b", "c": "a"}


def test_folder_is_not_moved_into_itself_in_another_case(tmp_path: Path) -> None:
    (tmp_path / "Source").mkdir()
    with pytest.raises(ActionError, match="is inside the source"):
        moving.move_folder(
            str(tmp_path / "Source"), str(tmp_path / "sOURCE" / "x"), checkpoint=checkpoint
        )


def test_a_copy_has_the_times_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.utime(tmp_path / "a", ns=(10**18, 10**18 + 700))
    copying.copy_file(str(tmp_path / "a"), str(tmp_path / "b"), checkpoint=checkpoint, twin=True)
    assert (tmp_path / "b").stat().st_mtime_ns == 10**18 + 700


def test_owner_is_a_security_identifier(tmp_path: Path) -> None:
    assert access_lists_windows.owner(str(tmp_path)).startswith("S-1-")
