"""The swap on this machine: attributes, links, permissions, disks, locks."""

import errno
import fcntl
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from awstoe.host.executable import lock, swap
from awstoe.update.install_record import InstallStep
from awstoe.update.installation import Origin
from awstoe.update.releases import Version
from fakes import release_server as tricks
from fakes.installation import COMMAND, Attempt, finished
from fakes.releases import shell_program
from fakes.scene import Scene

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and flock")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root can change owners and mount disks")
NOBODY = 65534


def test_updated_file_rolls_back_and_forth(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    attempt = scene.updates_to("1.1.0")
    assert attempt.result == {
        "outcome": "updated",
        "executable": str(scene.installation.path),
        "target": "linux/amd64",
        "before": "1.0.0",
        "installed": "1.1.0",
        "release": "1.1.0",
        "sha256": attempt.result["sha256"],
        "notes": None,
        "source": "us-east-2",
        "validUntil": attempt.result["validUntil"],
        "warnings": [],
    }
    signature = (scene.publisher.folder / "1.1.0/linux/amd64/awstoe.sig").read_bytes()
    assert scene.before["awstoe.sig"] == (0o644, signature)
    assert scene.before["awstoe.previous"] == (0o755, scene.old)
    scene.updates_to("1.0.0", "--rollback")
    assert scene.before["awstoe"] == (0o755, scene.old)
    assert scene.before["awstoe.previous"] == (0o755, new)
    assert scene.before["awstoe.previous.sig"] == (0o644, signature)
    scene.updates_to("1.1.0", "--rollback")
    assert scene.before["awstoe"] == (0o755, new)


def test_a_rollback_requires_a_previous_version(scene: Scene) -> None:
    assert "there is no version to go back to" in scene.refused("--rollback", code=7)


def test_a_rollback_to_a_replaced_file_is_rejected(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    (scene.installation.bin / "awstoe.previous").write_bytes(shell_program("1.0.0", body=": evil"))
    scene.before = scene.installation.on_disk()
    assert "the signature is not valid" in scene.refused("--rollback")
    assert "the signature is not valid" in scene.refused("--rollback", "--dry-run")


def test_a_rollback_restores_the_signature_file(scene: Scene) -> None:
    """The user had replaced the program by hand, but not the signature next to it."""
    scene.publisher.add("1.1.0")
    stale = scene.publisher.folder / "1.1.0/linux/amd64/awstoe.sig"
    shutil.copy(stale, scene.installation.bin / "awstoe.sig")
    scene.updates_to("1.1.0")
    scene.updates_to("1.0.0", "--rollback")
    assert scene.before["awstoe"] == (0o755, scene.old)


def test_a_rollback_can_install_a_named_lower_version(scene: Scene) -> None:
    scene.publisher.add("0.9.0")
    scene.updates_to("0.9.0", "--rollback", "--version", "0.9.0")


def test_check_and_dry_run_change_nothing(scene: Scene) -> None:
    assert scene.update("--check").result["outcome"] == "current"
    scene.publisher.add("1.1.0")
    for option, outcome in (("--check", "available"), ("--dry-run", "would-update")):
        attempt = scene.update(option)
        assert attempt.code == 0
        assert (attempt.result["outcome"], attempt.result["release"]) == (outcome, "1.1.0")
        assert scene.installation.on_disk() == scene.before


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o750, 0o555, 0o775])
def test_mode_is_kept(scene: Scene, mode: int) -> None:
    scene.publisher.add("1.1.0")
    scene.installation.path.chmod(mode)
    scene.updates_to("1.1.0")
    assert stat.S_IMODE(scene.installation.path.stat().st_mode) == mode


@needs_root
def test_owner_is_kept(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    os.chown(scene.installation.path, 1234, 4321)
    scene.updates_to("1.1.0")
    status = scene.installation.path.stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)


def test_extended_attributes_are_kept(scene: Scene) -> None:
    try:
        os.setxattr(scene.installation.path, "user.origin", b"installer")
    except OSError:
        pytest.skip("no extended attributes on this file system")
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    assert os.getxattr(scene.installation.path, "user.origin") == b"installer"


@needs_root
def test_file_capabilities_cause_a_warning(scene: Scene) -> None:
    value = bytes.fromhex("0100000200040000000000000000000000000000")
    os.setxattr(scene.installation.path, "security.capability", value)
    scene.publisher.add("1.1.0")
    assert (
        "has file capabilities, which the new file will not have"
        in scene.updates_to("1.1.0").stderr
    )
    assert "security.capability" not in os.listxattr(scene.installation.path)


@pytest.mark.parametrize("bit", [stat.S_ISUID, stat.S_ISGID])
def test_setuid_is_rejected(scene: Scene, bit: int) -> None:
    scene.publisher.add("1.1.0")
    scene.installation.path.chmod(0o755 | bit)
    scene.before = scene.installation.on_disk()
    assert "is setuid or setgid" in scene.refused(code=3)
    assert scene.server.requests == []


def test_symbolic_link_to_the_program_is_followed(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    link = scene.folder / "link"
    link.symlink_to(scene.installation.path)
    scene.installation.named = str(link)
    attempt = scene.updates_to("1.1.0")
    assert f"{link} is a link to {scene.installation.path}" in attempt.stderr
    assert link.is_symlink()
    assert scene.installation.path.read_bytes() == new


def test_a_link_to_a_version_in_another_folder_is_followed(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    folder = scene.folder / "elsewhere"
    folder.mkdir()
    (folder / "awstoe").symlink_to("../bin/awstoe")
    scene.installation.named = str(folder / "awstoe")
    scene.updates_to("1.1.0")
    assert list(folder.iterdir()) == [folder / "awstoe"]


def test_file_of_another_user_is_rejected_before_any_request(scene: Scene) -> None:
    ended = as_nobody(scene)
    assert ended.code == 6
    assert "belongs to another user" in ended.stderr
    assert scene.server.requests == []
    assert scene.installation.on_disk() == scene.before


@needs_root
def test_folder_of_another_user_is_rejected_before_any_request(scene: Scene) -> None:
    os.chown(scene.installation.path, NOBODY, NOBODY)
    ended = as_nobody(scene)
    assert ended.code == 6
    assert f"the folder {scene.installation.bin} cannot be written" in ended.stderr
    assert scene.server.requests == []
    assert scene.installation.on_disk() == scene.before


@needs_root
def test_read_only_folder_is_rejected_before_any_request(scene: Scene) -> None:
    """Folder and file belong to the user."""
    for path in (scene.installation.path, scene.installation.bin):
        os.chown(path, NOBODY, NOBODY)
    scene.installation.bin.chmod(0o555)
    ended = as_nobody(scene)
    assert ended.code == 6
    assert f"the folder {scene.installation.bin} cannot be written" in ended.stderr
    assert scene.server.requests == []
    assert scene.installation.on_disk() == scene.before


@needs_root
def test_unprivileged_user_updates_their_own_copy(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    for path in (scene.installation.path, scene.installation.bin):
        os.chown(path, NOBODY, NOBODY)
    ended = as_nobody(scene)
    assert ended.code == 0, ended.stderr
    assert scene.installation.version_output() == "awstoe 1.1.0"
    assert scene.installation.path.stat().st_uid == NOBODY


@needs_root
def test_signature_that_cannot_be_read_is_named(scene: Scene) -> None:
    """It could not be put back if the new program failed after the swap."""
    new = scene.publisher.add("1.1.0")
    for path in (scene.installation.path, scene.installation.bin):
        os.chown(path, NOBODY, NOBODY)
    beside = scene.installation.bin / "awstoe.sig"
    beside.write_bytes(b"of root")
    beside.chmod(0o600)
    scene.before = scene.installation.on_disk()
    ended = as_nobody(scene)
    assert ended.code == 6
    assert f"cannot be replaced: {beside}: Permission denied; nothing was changed" in ended.stderr
    assert scene.installation.on_disk() == scene.before
    assert scene.installation.path.read_bytes() != new


def as_nobody(scene: Scene) -> Attempt:
    """Run the command as an unprivileged user, in another process."""
    if not ROOT:
        pytest.skip("becomes another user")
    for path in (scene.folder, *scene.folder.parents):
        if str(path) != "/tmp" and path.is_relative_to("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
    scene.installation.state = scene.folder / "nobody/state"
    scene.installation.state.parent.mkdir()
    os.chown(scene.installation.state.parent, NOBODY, NOBODY)
    ended = subprocess.run(
        [
            *COMMAND,
            *(scene.installation.arguments(user=NOBODY), "--json"),
        ],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    del scene.server.requests[:4]  # of the first check, as root
    return Attempt(ended.returncode, json.loads(ended.stdout or "{}"), ended.stderr)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if not ROOT:
        pytest.skip("mounts a disk")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)], check=False
    )
    if mounted.returncode:
        pytest.skip("disks cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def move_to(scene: Scene, place: Path) -> None:
    shutil.copytree(scene.installation.bin, place / "bin")
    scene.installation.bin = place / "bin"
    scene.installation.path = place / "bin/awstoe"
    scene.installation.named = str(scene.installation.path)


def test_full_disk_is_reported_before_the_download(scene: Scene, small_disk: Path) -> None:
    scene.publisher.add("1.1.0")
    move_to(scene, small_disk)
    message = scene.refused(code=6)
    assert "0 MiB left, the new version needs 4 MiB" in message
    assert not any(path.endswith("/awstoe") for path, _ in scene.server.requests)


def test_space_of_an_incomplete_download_is_not_required_again(
    scene: Scene, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("awstoe.limits.UPDATE_SPARE_BYTES", 12_000)
    monkeypatch.setattr("awstoe.limits.UPDATE_ATTEMPTS", 1)
    scene.publisher.add("1.1.0")
    move_to(scene, small_disk)
    scene.server.tricks["*/1.1.0/linux/amd64/awstoe"] = tricks.break_off(30_000)
    assert scene.update("--url", scene.server.url + "us-east-2/").code == 4
    free = os.statvfs(small_disk).f_bavail * 4096
    (small_disk / "ballast").write_bytes(bytes(free - 40_960))
    scene.updates_to("1.1.0")


@pytest.mark.parametrize("left", [0, 4, 20, 34, 40, 48])
def test_a_disk_that_fills_up_during_the_update_leaves_a_working_program(
    scene: Scene, small_disk: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """With this many KiB left, the update fails at some step, or succeeds."""
    monkeypatch.setattr("awstoe.limits.UPDATE_SPARE_BYTES", -1_000_000)
    new = scene.publisher.add("1.1.0")
    move_to(scene, small_disk)
    free = os.statvfs(small_disk).f_bavail * 4096
    (small_disk / "ballast").write_bytes(bytes(free - left * 1024))
    attempt = scene.update()
    assert attempt.code in (0, 6), attempt.stderr
    if attempt.code:
        assert "No space left on device" in attempt.stderr
        assert "nothing was changed" in attempt.stderr
    content = scene.installation.path.read_bytes()
    assert content == (scene.old if attempt.code else new)
    (small_disk / "ballast").unlink()
    scene.installation.version = scene.installation.version_output().removeprefix("awstoe ")
    scene.updates_to("1.1.0")


def test_the_size_limit_of_the_process_is_reported(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(new) // 2, before[1]))
    try:
        attempt = scene.update()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert attempt.code == 6
    assert os.strerror(errno.EFBIG) in attempt.stderr
    assert scene.installation.on_disk() == scene.before  # the incomplete download is removed too


def test_temporary_folder_that_is_unusable_does_not_matter(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.publisher.add("1.1.0")
    monkeypatch.setenv("TMPDIR", "/proc")
    scene.updates_to("1.1.0")


@needs_root
@pytest.mark.parametrize("option", ["exec", "noexec"])
def test_temporary_folder_on_another_file_system_or_noexec_does_not_matter(
    scene: Scene, small_disk: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """Everything is staged next to the program: no rename across file systems."""
    scene.publisher.add("1.1.0")
    subprocess.run(["mount", "-o", f"remount,{option}", str(small_disk)], check=True)
    monkeypatch.setenv("TMPDIR", str(small_disk))
    assert small_disk.stat().st_dev != scene.installation.bin.stat().st_dev
    scene.updates_to("1.1.0")
    assert list(small_disk.iterdir()) == []


@needs_root
def test_read_only_file_system_is_rejected_before_any_request(
    scene: Scene, small_disk: Path
) -> None:
    move_to(scene, small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    message = scene.refused(code=6)
    assert f"the folder {scene.installation.bin} cannot be written" in message
    assert scene.server.requests == []


@needs_root
def test_noexec_folder_is_detected_before_the_swap(scene: Scene, small_disk: Path) -> None:
    scene.publisher.add("1.1.0")
    subprocess.run(["mount", "-o", "remount,noexec,size=20m", str(small_disk)], check=True)
    move_to(scene, small_disk)
    attempt = scene.update()
    assert attempt.code == 8
    assert "noexec" in attempt.stderr
    assert scene.installation.path.read_bytes() == scene.old


def held(scene: Scene, step: InstallStep) -> "subprocess.Popen[str]":
    """Start an update in another process, which stops at a step."""
    process = scene.installation.process(hold_at=step, wait=False)
    assert process.stderr is not None
    assert any("holding" in line for line in process.stderr)
    return process


def released(process: "subprocess.Popen[str]") -> Attempt:
    """Let an update continue that was held, and return its outcome."""
    assert process.stdin is not None
    process.stdin.write("continue\n")
    return finished(process)


def test_one_of_two_updates_at_once_is_rejected(scene: Scene) -> None:
    """One wins; the other reports that it is busy, and changes nothing."""
    scene.publisher.add("1.1.0")
    first = held(scene, InstallStep.DOWNLOADED)
    second = scene.update()
    assert second.code == 75
    assert "another update of this program is in progress" in second.stderr
    assert scene.installation.version_output() == "awstoe 1.0.0"
    assert released(first).code == 0
    assert scene.installation.version_output() == "awstoe 1.1.0"


@pytest.mark.slow
def test_second_update_waits_for_the_first(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    first = held(scene, InstallStep.DOWNLOADED)
    timer = threading.Timer(0.7, lambda: released(first))
    timer.start()
    second = scene.update("--wait")
    timer.join()
    # By then the file is not the one that this process was started from.
    assert (second.code, scene.installation.version_output()) == (75, "awstoe 1.1.0")
    assert "waiting until it has finished" in second.stderr
    assert "was replaced while this process was running" in second.stderr


def test_an_update_is_rejected_while_a_run_is_in_progress(scene: Scene) -> None:
    """It fails at once and before any request; with --wait it waits until the run has finished."""
    scene.publisher.add("1.1.0")
    run = lock.lock_shared(str(scene.installation.path))
    assert run is not None
    message = scene.refused(code=75)
    assert f"a run of {scene.installation.path} is in progress" in message
    assert scene.server.requests == []
    timer = threading.Timer(0.5, os.close, [run])
    timer.start()
    attempt = scene.updates_to("1.1.0", "--wait")
    assert "waiting until it has finished" in attempt.stderr


def test_run_that_starts_during_the_download_prevents_the_swap(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    held: list[int | None] = []

    def listen(step: InstallStep) -> None:
        if step is InstallStep.DOWNLOADED:
            held.append(lock.lock_shared(str(scene.installation.path)))

    attempt = scene.installation.update(listener=listen)
    assert attempt.code == 75
    assert held[0] is not None
    os.close(held[0])
    assert scene.installation.on_disk() == scene.before
    scene.updates_to("1.1.0")


def test_no_run_starts_during_the_swap(scene: Scene) -> None:
    """Neither from the old file, nor from the new one before it has passed its smoke test."""
    scene.publisher.add("1.1.0")
    taken: dict[InstallStep, int | None] = {}

    def listen(step: InstallStep) -> None:
        if step in (InstallStep.BACKED_UP, InstallStep.SWAPPED, InstallStep.HEALTHY):
            taken[step] = lock.lock_shared(str(scene.installation.path))

    assert scene.installation.update(listener=listen).code == 0
    assert taken == {
        InstallStep.BACKED_UP: None,
        InstallStep.SWAPPED: None,
        InstallStep.HEALTHY: None,
    }
    held = lock.lock_shared(str(scene.installation.path))
    assert held is not None
    os.close(held)


def test_the_lock_is_a_flock_on_the_program_itself(scene: Scene) -> None:
    held = lock.lock_shared(str(scene.installation.path))
    assert held is not None
    with open(scene.installation.path, "rb") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(held)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_running_program_is_replaced_by_another_process(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    other = scene.folder / "other"
    other.write_bytes(shell_program("1.0.5"))
    other.chmod(0o755)

    def listen(step: InstallStep) -> None:
        if step is InstallStep.ATTRIBUTES_COPIED:
            os.replace(other, scene.installation.path)

    attempt = scene.installation.update(listener=listen)
    assert attempt.code == 75
    assert "was replaced while this process was running" in attempt.stderr
    assert scene.installation.version_output() == "awstoe 1.0.5"


def test_python_package_does_not_update_itself(scene: Scene) -> None:
    scene.installation.origin = Origin.PACKAGE
    message = scene.refused(code=3)
    assert "is a Python package" in message
    assert "hint: it runs from the source tree " in message


def test_development_build_does_not_update_itself(scene: Scene) -> None:
    shutil.rmtree(scene.installation.trust)
    assert "this is a development build" in scene.refused(code=3)
    assert scene.server.requests == []


def test_file_of_a_package_manager_is_rejected(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.publisher.add("1.1.0")
    tool = scene.folder / "tools/rpm"
    tool.parent.mkdir()
    owned = scene.installation.path
    answer = "echo awstoe-1.0.0-1.x86_64"
    tool.write_text(f'#!/bin/sh\n[ "$1 $2" = "-qf {owned}" ] && {answer}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    message = scene.refused(code=3)
    assert "was installed by a package manager (rpm: awstoe-1.0.0-1.x86_64)" in message
    assert "dnf upgrade" in message
    assert scene.server.requests == []


def test_metadata_folder_that_cannot_be_written_prevents_an_update_but_not_a_check(
    scene: Scene,
) -> None:
    scene.publisher.add("1.1.0")
    scene.installation.state = Path("/proc/nowhere")
    assert "trust metadata cannot be kept" in scene.refused(code=6)
    attempt = scene.update("--check")
    assert attempt.result["outcome"] == "available"
    assert "no folder to keep trust metadata in" in attempt.stderr


def test_missing_certificate_authorities_are_reported_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
    message = scene.refused("--url", "https://{region}.invalid/", code=6)
    assert message.count("AWS_CA_BUNDLE: /nowhere/ca.pem: No such file") == 1
    assert "fix AWS_CA_BUNDLE" in message


@pytest.mark.parametrize("damaged", [b"\xff", b"inf", b"nan", b"1e300", b""])
def test_damaged_metadata_folder_is_renewed(scene: Scene, damaged: bytes) -> None:
    scene.publisher.add("1.1.0")
    scene.update("--check")
    for path in (scene.installation.state / "metadata").rglob("*.json"):
        if not path.is_symlink():
            path.write_bytes(b"{")
    (scene.installation.state / "clock").write_bytes(damaged)
    (scene.installation.state / "metadata/tmpabc").write_bytes(b"left by a kill")
    scene.updates_to("1.1.0")
    assert not (scene.installation.state / "metadata/tmpabc").exists()


@pytest.mark.slow
def test_interrupt_during_the_download_changes_nothing(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    process = held(scene, InstallStep.DOWNLOADED)
    process.send_signal(signal.SIGINT)
    finished_code = process.wait()
    process.communicate()
    assert finished_code != 0
    assert scene.installation.on_disk() == scene.before


def test_an_interrupt_during_the_swap_is_ignored(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    process = held(scene, InstallStep.SWAPPED)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    assert released(process).code == 0
    scene.installation.version = "1.1.0"
    assert scene.installation.version_output() == "awstoe 1.1.0"
    assert not (scene.installation.bin / ".awstoe.update").exists()


def test_an_update_does_not_require_hard_links(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    assert scene.before["awstoe.previous"] == (0o755, scene.old)


def test_previous_of_an_exe_can_be_started() -> None:
    if sys.platform == "win32":
        assert swap.suffixed("C:\\x\\awstoe.exe", "previous").endswith(".exe")
    else:
        assert swap.suffixed("/x/awstoe", "previous") == "/x/awstoe.previous"


def test_an_installed_version_newer_than_all_releases_is_kept(scene: Scene) -> None:
    scene.installation.version = str(Version("3.0.0"))
    assert scene.update().result["outcome"] == "current"
