"""Files in places of others are read only if they are regular files of a reasonable size."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from awstoe.errors import HostError
from awstoe.host.files import locks, own_files, plain_files

if sys.platform == "win32":
    pytest.skip("the kinds of files are Linux's", allow_module_level=True)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))  # its file stays


def make_linked_pipe(path: Path) -> None:
    os.mkfifo(f"{path}-pipe")
    path.symlink_to(f"{path}-pipe")


KINDS: dict[str, Callable[[Path], object]] = {
    "a named pipe": os.mkfifo,
    "a socket": make_socket,
    "a folder": Path.mkdir,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a pipe": make_linked_pipe,
    "a circle of links": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pipe", [True, False])
def test_other_kinds_of_files_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, pipe: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may have 107 bytes
    path = Path("x")
    KINDS[kind](path)
    for follow in (True, False):
        with pytest.raises(OSError, match="x'"):
            plain_files.read(str(path), 10, follow_link=follow, pipe=pipe)


def test_a_link_is_followed_only_if_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("secret")
    assert plain_files.read(str(tmp_path / "link"), 10) == b"secret"
    with pytest.raises(plain_files.NotPlainError, match="symbolic link"):
        plain_files.read(str(tmp_path / "link"), 10, follow_link=False)


def test_a_file_above_the_limit_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    assert plain_files.read(str(path), 10) == b"0123456789"
    with pytest.raises(OSError, match="more than 9 bytes"):
        plain_files.read(str(path), 9)
    os.truncate(path, 1 << 40)
    with pytest.raises(OSError, match="more than 9 bytes"):
        plain_files.read(str(path), 9)


def test_a_pipe_without_a_name_is_read_to_its_end() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        for piece in (b"one ", b"two"):
            os.write(writer, piece)
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert plain_files.read(f"/dev/fd/{reader}", 10, pipe=True) == b"one two"
    finally:
        thread.join()
        os.close(reader)


@pytest.mark.parametrize("kind", ["a named pipe", "a link to a device"])
def test_a_lock_is_a_plain_file(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "lock")
    with pytest.raises(HostError, match="cannot lock"):
        locks.acquire(str(tmp_path / "lock"))


def test_a_planted_temporary_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / ".x.tmp").symlink_to("secret")
    own_files.replace_file(str(tmp_path / "x"), [b"new"])
    assert (tmp_path / "x").read_bytes() == b"new"
    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert sorted(os.listdir(tmp_path)) == ["secret", "x"]
