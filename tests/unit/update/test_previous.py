"""The previous version is kept; if it cannot be, the update warns."""

import subprocess
import sys

import pytest

from awstoe.update.install_record import InstallStep
from fakes import release_server as tricks
from fakes.installation import Attempt, finished
from fakes.scene import Scene

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts play awstoe")


def assert_no_way_back(scene: Scene, attempt: Attempt, reason: str) -> None:
    """Check that the update succeeded and warned that a rollback needs the network, and why."""
    assert (attempt.code, scene.installation.version_output()) == (0, "awstoe 1.1.0"), (
        attempt.stderr
    )
    warnings = " ".join(attempt.result["warnings"])
    assert reason in warnings
    assert "--rollback needs the network" in warnings
    assert f"awstoe: warning: {attempt.result['warnings'][0]}" in attempt.stderr
    assert not (scene.installation.bin / ".awstoe.update").exists()
    scene.installation.version = "1.1.0"
    assert scene.update("--rollback").code != 0
    scene.server.tricks.clear()
    assert scene.update("--rollback", "--version", "1.0.0").code == 0


@pytest.mark.parametrize("name", ["awstoe.previous", "awstoe.previous.sig"])
def test_a_folder_at_the_path_of_the_previous_version_prevents_a_rollback_only(
    scene: Scene, name: str
) -> None:
    scene.publisher.add("1.1.0")
    (scene.installation.bin / name / "mine").mkdir(parents=True)
    assert_no_way_back(scene, scene.update(), "Is a directory")
    assert (scene.installation.bin / name / "mine").is_dir()


def test_a_signature_that_cannot_be_fetched_prevents_a_rollback_only(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks["*/1.0.0/linux/amd64/awstoe.sig"] = tricks.status(404)
    assert_no_way_back(scene, scene.update(), "no signature of the previous version")


def test_a_folder_at_the_path_is_reported_when_an_interrupted_update_is_finished(
    scene: Scene,
) -> None:
    scene.publisher.add("1.1.0")
    (scene.installation.bin / "awstoe.previous/mine").mkdir(parents=True)
    finished(scene.installation.process(die_at=InstallStep.HEALTHY))
    scene.installation.version = "1.1.0"
    assert_no_way_back(scene, scene.update(), "awstoe.previous: Is a directory")


def test_leftover_that_cannot_be_removed_does_not_fail_the_update(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    left = scene.installation.bin / ".awstoe.update/left-over"
    source = scene.folder / "mounted"
    source.touch()
    mounts: list[int] = []

    def listen(step: InstallStep) -> None:
        if step is InstallStep.LOCKED:
            left.touch()
            mount = ["mount", "--bind", str(source), str(left)]
            mounts.append(subprocess.run(mount, capture_output=True, check=False).returncode)

    try:
        attempt = scene.installation.update(listener=listen)
    finally:
        if mounts == [0]:
            subprocess.run(["umount", "-l", str(left)], check=True)
    if mounts != [0]:
        pytest.skip("files cannot be mounted here")
    assert (attempt.code, scene.installation.version_output()) == (0, "awstoe 1.1.0"), (
        attempt.stderr
    )


def test_the_old_program_is_restored_even_if_its_signature_is_not(scene: Scene) -> None:
    """Another process changes the folder; the message must not name a file that was moved."""
    scene.publisher.add("1.1.0")
    scene.publisher.add("1.2.0")
    scene.updates_to("1.1.0", "--version", "1.1.0")
    beside = scene.installation.bin / "awstoe.sig"
    content = scene.installation.path.read_bytes()

    def listen(step: InstallStep) -> None:
        if step is InstallStep.SIGNED:
            beside.unlink()
            (beside / "mine").mkdir(parents=True)
            scene.installation.path.write_bytes(b"#!/bin/sh\nexit 3\n")

    attempt = scene.installation.update(listener=listen)
    assert attempt.code == 9
    assert "1.1.0 is back" in attempt.stderr
    assert scene.installation.path.read_bytes() == content
