"""A locked file: other processes can read it, but not change it."""

import sys
from pathlib import Path

import pytest

from awstoe.host.files.write_lock import deny_writes

assert sys.platform == "win32"


def test_locked_file_can_be_read_but_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "app.msi"
    path.write_bytes(b"checked")
    other = tmp_path / "other.msi"
    other.write_bytes(b"other")
    with deny_writes(str(path)):
        assert path.read_bytes() == b"checked"
        for change in (
            lambda: path.write_bytes(b"x"),
            path.unlink,
            lambda: path.rename(tmp_path / "moved.msi"),
            lambda: other.replace(path),
        ):
            with pytest.raises(PermissionError):
                change()
    other.replace(path)
    assert path.read_bytes() == b"other"


def test_file_that_is_being_written_cannot_be_locked(tmp_path: Path) -> None:
    path = tmp_path / "app.msi"
    with path.open("wb"), pytest.raises(PermissionError) as caught, deny_writes(str(path)):
        pass
    assert caught.value.winerror == 32  # ERROR_SHARING_VIOLATION
    with deny_writes(str(path)):
        pass
