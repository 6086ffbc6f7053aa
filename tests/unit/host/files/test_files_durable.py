"""awstoe's own files survive a power failure: they are flushed before they are renamed."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from awstoe.errors import HostError
from awstoe.host.files import own_files, renaming

WINDOWS = sys.platform == "win32"


def test_a_durable_file_is_on_the_disk_before_it_has_its_name_and_so_is_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    path = tmp_path / "file"
    fsync, replace = os.fsync, renaming.replace

    def flush(descriptor: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def rename(*names: Any) -> None:  # noqa: ANN401 - of any function
        done.append("name")
        replace(*names)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(renaming, "replace", rename)
    own_files.replace_file(str(path), [b"a", b"b"], durable=True)
    assert path.read_bytes() == b"ab"
    assert done == (["file", "name"] if WINDOWS else ["file", "name", "folder"])
    monkeypatch.chdir(tmp_path)
    own_files.replace_file("file", [b"c"], durable=True)
    assert path.read_bytes() == b"c"


@pytest.mark.skipif(WINDOWS, reason="folders are never flushed there")
def test_a_durable_file_works_on_a_disk_that_cannot_flush_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, refused = os.fsync, [errno.EINVAL]

    def flush(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(refused[0], os.strerror(refused[0]))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    own_files.replace_file(str(tmp_path / "file"), [b"a"], durable=True)
    refused[0] = errno.EIO
    with pytest.raises(HostError, match="Input/output error"):
        own_files.replace_file(str(tmp_path / "file"), [b"b"], durable=True)


def test_a_disk_that_fails_to_flush_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def refuse(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(HostError, match="Input/output error"):
        own_files.replace_file(str(path), [b"new"], durable=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
