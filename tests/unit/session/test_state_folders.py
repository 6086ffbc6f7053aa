"""Where the state is kept if the folder for it cannot be used."""

import os
import sys
import uuid
from pathlib import Path

import pytest

from awstoe.errors import HostError
from awstoe.host import machine
from awstoe.host.files import temporary
from awstoe.reporting.console import Console
from awstoe.session import state_folders
from awstoe.state import store

UNUSABLE = "/proc/awstoe" if sys.platform != "win32" else "Z:\\none\\*"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose folder for states is read-only; return the temporary folder."""
    monkeypatch.setattr(machine, "state_root", lambda: UNUSABLE)
    monkeypatch.setenv(temporary.VARIABLE, str(tmp_path))
    return tmp_path


def test_a_read_only_disk_moves_the_state_to_the_temporary_folder(
    disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = state_folders.create(None, "id", Console())
    assert not made.is_lasting
    assert Path(made.folder).is_relative_to(disk)
    (line,) = capfd.readouterr().err.splitlines()
    assert UNUSABLE in line
    assert "--state-directory" in line
    with pytest.raises(store.InUseError):
        state_folders.create(None, "id", Console())
    made.remove()
    assert list(disk.iterdir()) == []


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can give folders away"
)
def test_the_temporary_folder_of_another_user_is_not_used(disk: Path) -> None:
    """They could forge the state: its path is known."""
    (disk / f"awstoe-state-{os.geteuid()}").mkdir()
    os.chown(disk / f"awstoe-state-{os.geteuid()}", 65534, 65534)
    with pytest.raises(HostError, match="belongs to another user") as raised:
        state_folders.create(None, "id", Console())
    assert "--state-directory" in str(raised.value.hint)


@pytest.mark.skipif(sys.platform == "win32", reason="TMP cannot be shared there")
def test_the_state_is_not_kept_where_others_can_replace_it(disk: Path) -> None:
    disk.chmod(0o777)
    made = state_folders.create(None, str(uuid.uuid4()), Console())
    assert not Path(made.folder).is_relative_to(disk)
    assert state_folders.is_temporary(made.folder)
    made.remove()
