"""Simultaneous and killed commands of the signing tools, and the permissions of their folder."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe_signing import __main__ as command_line
from awstoe_signing.keys.directory import KeyDirectory, Purpose, locked

HOLDER = ("--user-id", "AWSTOE <releases@example.com>")
CHANGES: dict[str, tuple[str, ...]] = {
    "ceremony": (),
    "create": ("--purpose", "root"),
    "rotate": ("--purpose", "timestamp"),
    "expire": ("--name", "openpgp-1"),
    "revoke": ("--name", "openpgp-1", "--reason", "retired"),
    "certify": ("--name", "authenticode-1", "--chain", "/nowhere"),
    "trust": (),
}
HOLD = """
import sys, time
from awstoe_signing.keys.directory import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def run(*arguments: str) -> int:
    return command_line.main(arguments)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty folder of keys, and the passphrase for new keys."""
    monkeypatch.setenv("AWSTOE_SIGNING_PASSPHRASE", "correct horse battery")
    folder = str(tmp_path / "new" / "keys")
    assert run("ceremony", "--directory", folder, "--empty", *HOLDER) == 0
    return folder


def content(folder: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", CHANGES)
def test_a_change_during_another_change_is_rejected(
    command: str, keys: KeyDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(keys.folder)
    with locked(keys.folder):
        assert run(command, "--directory", keys.folder, *CHANGES[command]) == 1
    assert "another command is changing the keys in" in capsys.readouterr().err
    assert content(keys.folder) == {**before, keys.path("keys.lock"): b""}


def test_sign_and_list_work_during_a_change(keys: KeyDirectory, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a program")
    with locked(keys.folder):
        assert run("list", "--directory", keys.folder) == 0
        assert run("sign", "--directory", keys.folder, str(file)) == 0


@pytest.mark.slow
def test_keys_that_are_created_at_once_are_all_registered(empty: str) -> None:
    """Each command creates its key, or reports that another one is running and is repeated."""
    command = [sys.executable, "-m", "awstoe_signing", "create", "--directory", empty]
    left = ["root", "root", "targets"]
    while left:
        running = [
            (
                purpose,
                subprocess.Popen(
                    [*command, "--purpose", purpose],
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                ),
            )
            for purpose in left
        ]
        errors = {each: each.communicate()[1] for _, each in running}
        left = [purpose for purpose, each in running if each.returncode]
        assert all(b"another command is" in errors[each] for _, each in running if each.returncode)
    keys = KeyDirectory(empty).facts()
    assert sorted(key.purpose for key in keys) == ["root", "root", "targets"]
    assert len({key.name for key in keys}) == 3
    for key in keys:
        KeyDirectory(empty).open(key)


def test_a_killed_command_leaves_no_lock(empty: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, empty],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert run("create", "--directory", empty, "--purpose", "timestamp") == 1
        holder.kill()
    assert run("create", "--directory", empty, "--purpose", "timestamp") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_the_folder_regardless_of_the_umask(
    mask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWSTOE_SIGNING_PASSPHRASE", "correct horse battery")
    folder = tmp_path / "keys"
    before = os.umask(mask)
    try:
        assert run("ceremony", "--directory", str(folder), "--empty", *HOLDER) == 0
        assert run("create", "--directory", str(folder), "--purpose", "timestamp") == 0
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_all_users_can_read_a_signature_regardless_of_the_umask(
    keys: KeyDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"a program")
    before = os.umask(0o077)
    try:
        assert run("sign", "--directory", keys.folder, "file") == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("file.sig").st_mode) == 0o644


@pytest.mark.skipif(sys.platform == "win32", reason="reads from Linux which file is flushed")
def test_the_registry_does_not_change_if_it_cannot_be_written(
    empty: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path(empty, "keys.toml").read_bytes()
    real = os.fsync

    def refuse(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".keys.toml.tmp"):
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    assert run("create", "--directory", empty, "--purpose", "timestamp") == 1
    assert "keys.toml: No space left on device" in capsys.readouterr().err
    assert Path(empty, "keys.toml").read_bytes() == before
    assert not KeyDirectory(empty).facts(Purpose.TIMESTAMP)


def test_an_error_of_the_system_is_reported_in_one_line(
    empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(os.path.join(empty, "metadata"))
    Path(empty, "metadata").write_bytes(b"not a folder")
    assert run("list", "--directory", empty) == 1
    place = os.path.join(empty, "metadata")
    assert f"awstoe-signing: {place}: File exists" in capsys.readouterr().err
