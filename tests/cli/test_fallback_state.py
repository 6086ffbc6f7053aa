"""The state of users without a folder for it: no home, a home that is /, a read-only disk."""

import os
import signal
from pathlib import Path

import pytest

from cli.running import Toe, bash, wait_until

WITHOUT: dict[str, dict[str, str | None]] = {
    "no HOME": {"HOME": None},
    "an empty HOME": {"HOME": ""},
    "HOME is /": {"HOME": "/"},
    "a home that cannot be made": {"HOME": "/proc/home"},
    "a home that is a file": {"HOME": "/etc/passwd"},
}
SLOW = bash("Slow", "[ -e go ] && exit; echo x > begun; sleep 600")


@pytest.fixture
def user(toe: Toe) -> Toe:
    """A user who is not root and has a temporary folder of their own."""
    (toe.folder / "tmp").mkdir()
    if os.geteuid() == 0:
        toe.become_nobody()
    del toe.environment["XDG_STATE_HOME"]
    toe.environment["TMPDIR"] = str(toe.folder / "tmp")
    return toe


def require_other_user(user: Toe) -> None:
    """Skip if root's tests run as root by another name, for an interpreter only root can read."""
    if user.call(["test", "-w", "/"]).exit_code == 0:
        pytest.skip("this user has the rights of root")


def without_home(user: Toe, case: str) -> None:
    if case == "HOME is /":
        require_other_user(user)
    for name, value in WITHOUT[case].items():
        if value is None:
            del user.environment[name]
        else:
            user.environment[name] = value


def state_files(user: Toe) -> list[Path]:
    return [path for path in (user.folder / "tmp").rglob("*") if path.is_file()]


@pytest.mark.parametrize("case", WITHOUT)
def test_a_run_keeps_its_state_in_a_private_temporary_folder(user: Toe, case: str) -> None:
    without_home(user, case)
    script = "stat -c %a $TMPDIR/awstoe-state-*; find $TMPDIR -name journal.jsonl | wc -l"
    ended = user.run("-d", user.document(bash("S", script)), state=False)
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("S") == "700\n1"
    (line,) = (line for line in ended.stderr.splitlines() if "--state-directory" in line)
    assert "the run cannot resume after a reboot" in line
    assert state_files(user) == []


def test_such_a_run_can_be_resumed_until_then(user: Toe) -> None:
    without_home(user, "no HOME")
    document = user.document(SLOW)
    started = user.start("-d", document, state=False)
    wait_until((user.folder / "begun").exists)
    started.signal(signal.SIGTERM)
    broken = started.end()
    assert broken.exit_code == 143
    user.write("go", "").chmod(0o644)
    ended = user.run("-d", document, "--resume", state=False)
    assert ended.exit_code == 0, ended.stderr
    assert ended.summary["executionId"] == broken.summary["executionId"]
    assert state_files(user) == []


def test_such_a_run_does_not_reboot_the_machine(user: Toe) -> None:
    without_home(user, "no HOME")
    ended = user.run("-d", user.document(bash("S", "exit 194")), state=False)
    assert ended.exit_code == 1
    assert "the machine is not rebooted" in ended.summary["failureMessage"]
    assert "--state-directory" in ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's folder")
def test_a_folder_of_another_user_is_not_used(user: Toe) -> None:
    """They could forge the state: its path is known."""
    require_other_user(user)
    without_home(user, "no HOME")
    (user.folder / "tmp" / "awstoe-state-65534").mkdir(mode=0o777)
    ended = user.run("-d", user.document(bash("S", "touch ran")), state=False)
    assert ended.exit_code == 1
    assert "belongs to another user" in ended.stderr
    assert "hint: set another folder with --state-directory" in ended.stderr
    assert not (user.folder / "ran").exists()


def test_every_hint_about_an_unusable_state_folder_names_the_option(user: Toe) -> None:
    user.environment["HOME"] = "/proc"
    user.environment["TMPDIR"] = "/proc"
    ended = user.run("-d", user.document(bash("S", "true")), state=False)
    assert ended.exit_code == 1
    assert "hint: set another folder with --state-directory" in ended.stderr
    ended = user.run("-d", "doc.yml", "-s", "/proc/state", state=False)
    assert ended.exit_code == 1
    assert "hint: set another folder with --state-directory" in ended.stderr
