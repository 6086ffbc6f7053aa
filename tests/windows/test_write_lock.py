"""A file that is held: others read it, and nobody changes it."""

import sys
from pathlib import Path

import pytest

from awstoe.host.files.write_lock import deny_writes

assert sys.platform == "win32"


def test_held_file_can_be_read_and_not_be_changed(tmp_path: Path) -> None:
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


def test_file_that_is_being_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "app.msi"
    with path.open("wb"), pytest.raises(PermissionError) as refused, deny_writes(str(path)):
        pass
    assert refused.value.winerror == 32  # ERROR_SHARING_VIOLATION
    with deny_writes(str(path)):
        pass
