"""Folders that cannot be written, and disks that are full."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.running import Toe, action, bash
from subject import needs_source

BIG = "head -c 3000000 /dev/zero | tr '\\0' x"


def limited(size: int) -> Callable[[], None]:
    """Limit the files that the program and its children write to ``size``."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.fixture
def user(toe: Toe) -> Toe:
    """A program without root privileges."""
    if os.geteuid() == 0:
        toe.become_nobody()
    return toe


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("option", ["--log-directory", "--state-directory"])
def test_a_folder_that_is_not_writable_is_an_error(user: Toe, option: str) -> None:
    locked = user.folder / "locked"
    locked.mkdir(mode=0o500)
    if os.geteuid() == 0:
        os.chown(locked, 65534, 65534)
    document = user.document(bash("S", "touch ran"))
    ended = user.run(
        "-d", document, option, str(locked / "in"), state=option != "--state-directory"
    )
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 0, 0, 0)
    assert "Permission denied" in ended.summary["failureMessage"]
    assert str(locked) in ended.stderr
    assert "hint: " in ended.stderr
    assert not (user.folder / "ran").exists()
    assert user.nothing_left()


@pytest.mark.parametrize("option", ["--log-directory", "--state-directory"])
def test_a_file_in_place_of_a_folder_is_an_error(toe: Toe, option: str) -> None:
    toe.write("file", "")
    document = toe.document(bash("S", "touch ran"))
    for path in ("file", "file/in"):
        ended = toe.run("-d", document, option, path, state=option != "--state-directory")
        assert ended.exit_code == 1
        assert "same execution ID" not in ended.stderr
        assert f"{toe.folder}/file" in ended.stderr
        assert toe.nothing_left()


@needs_source("a built file cannot unpack itself under this limit")
def test_a_log_that_reaches_its_limit_fails_the_run_and_keeps_the_state(toe: Toe) -> None:
    document = toe.document(bash("Big", f"{BIG}; touch ran"), bash("Never", "touch never"))
    ended = toe.run("-d", document, prepare=limited(1_000_000))
    assert ended.exit_code == 1
    message = ended.summary["failureMessage"]
    assert message.startswith("Document doc.yml failed! Phase 'build', step 'Big': ")
    assert "cannot write the log" in message
    assert "ulimit -f" in ended.stderr
    assert ended.stderr.count("cannot write the log") == 1
    assert not (toe.folder / "never").exists()
    assert ended.records["executionId"] == ended.summary["executionId"]
    again = toe.run("-d", document, "--resume")
    assert again.exit_code == 0, again.stderr
    assert again.counts == ("success", 2, 0, 0)


def test_a_full_disk_for_logs_fails_the_run_and_keeps_the_state(toe: Toe, small_disk: Path) -> None:
    document = toe.document(bash("Big", BIG), bash("Never", "touch never"))
    ended = toe.run("-d", document, "-l", str(small_disk))
    assert ended.exit_code == 1
    assert "No space left on device" in ended.summary["failureMessage"]
    assert "free some space" in ended.stderr
    assert not (toe.folder / "never").exists()
    assert (toe.state / "journal.jsonl").exists()


def test_a_full_disk_for_state_fails_the_run(toe: Toe, small_disk: Path) -> None:
    document = toe.document(
        bash("Fill", f"head -c 300000 /dev/zero > {small_disk}/filler; true"),
        *(bash(f"S{n}", f"echo {'x' * 3000}") for n in range(20)),
    )
    ended = toe.run("-d", document, "-s", str(small_disk / "state"), state=False)
    assert ended.exit_code == 1
    assert "No space left on device" in ended.summary["failureMessage"]
    assert "state" in ended.summary["failureMessage"]
    assert ended.records["status"]


def test_a_disk_that_is_full_from_the_start_leaves_nothing(toe: Toe, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * 256 * 1024)
    document = toe.document(bash("S", "touch ran"))
    for option in ("-l", "-s"):
        ended = toe.run("-d", document, option, str(small_disk / "in"), state=option != "-s")
        assert ended.exit_code == 1, option
        assert "No space left on device" in ended.stderr
        assert not (toe.folder / "ran").exists()
        assert toe.nothing_left(), option


def test_a_full_disk_in_a_step_fails_the_step(toe: Toe, small_disk: Path) -> None:
    ended = toe.steps(
        action(
            "Copy",
            "CreateFile",
            [{"path": f"{small_disk}/big", "content": "x" * 300_000}],
            onFailure="Continue",
        ),
        bash("After", "true"),
    )
    assert ended.exit_code == 1
    assert ended.statuses == {"Copy": "failed", "After": "success"}
    assert "free some space" in ended.summary["failures"][0]["message"]


@needs_source("a built file cannot unpack itself there either")
def test_a_full_temporary_folder_fails_the_step(toe: Toe, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * 256 * 1024)
    toe.environment["TMPDIR"] = str(small_disk)
    ended = toe.steps(
        bash("S", "true", onFailure="Continue"),
        action("A", "Assert", {"stringEquals": "a", "value": "a"}),
    )
    assert ended.exit_code == 1
    assert ended.statuses == {"S": "failed", "A": "success"}
    assert "No space left on device" in ended.summary["failures"][0]["message"]


def test_a_step_may_fill_the_disk_of_the_logs_for_a_moment(toe: Toe, small_disk: Path) -> None:
    """Scripts that make an image smaller fill the disk with zeros, and then free it."""
    toe.environment["FILL"] = str(small_disk / "fill")
    script = "dd if=/dev/zero of=$FILL bs=1K; seq 500; rm $FILL; echo freed"
    document = toe.document(bash("Zeros", script), bash("After", "echo after"))
    ended = toe.run("-d", document, "-l", str(small_disk / "lg"))
    assert ended.exit_code == 0, ended.stderr
    lines = [line for line in ended.messages if line.startswith("Stdout: ")]
    wanted = [*map(str, range(1, 501)), "freed", "after"]
    assert lines == [f"Stdout: {line}" for line in wanted]
