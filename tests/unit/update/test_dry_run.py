"""``--dry-run`` does everything that an update does, except the download and the swap."""

import hashlib
import os
import sys
from pathlib import Path

import pytest

from awstoe.host.executable import lock
from awstoe.update.install_record import InstallStep
from awstoe.update.workspace import Workspace
from fakes import release_server as tricks
from fakes.installation import finished
from fakes.releases import shell_program
from fakes.scene import Scene

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts play awstoe")


def test_rollback_reports_its_real_version(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    scene.server.requests.clear()
    attempt = scene.update("--rollback", "--dry-run")
    assert (attempt.code, attempt.result["outcome"]) == (0, "would-update")
    assert (attempt.result["installed"], attempt.result["release"]) == ("1.1.0", "1.0.0")
    assert attempt.result["sha256"] == hashlib.sha256(scene.old).hexdigest()
    assert attempt.result["source"] == str(scene.installation.bin / "awstoe.previous")
    assert scene.installation.on_disk() == scene.before
    assert scene.server.requests == []


def test_rollback_to_a_program_that_does_not_start_any_more_fails(scene: Scene) -> None:
    mark = scene.folder / "mark"
    broken = shell_program("1.1.0", body=f"[ ! -e {mark} ] || exit 3")
    scene.publisher.add("1.1.0", broken)
    scene.publisher.add("1.2.0")
    scene.updates_to("1.1.0", "--version", "1.1.0")
    scene.updates_to("1.2.0")
    mark.touch()
    for options in (["--dry-run"], []):
        assert "does not start: exit code 3" in scene.refused("--rollback", *options, code=8)


def test_run_in_progress_is_reported(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    run = lock.lock_shared(str(scene.installation.path))
    assert run is not None
    assert "is in progress" in scene.refused("--dry-run", code=75)
    os.close(run)
    assert scene.update("--dry-run").code == 0


def test_update_in_progress_is_reported(scene: Scene) -> None:
    with Workspace(str(scene.installation.path)):
        assert "another update" in scene.update("--dry-run").stderr


def test_metadata_folder_that_cannot_be_written_is_an_error(scene: Scene) -> None:
    scene.installation.state = Path("/proc/nowhere")
    assert "trust metadata cannot be kept" in scene.refused("--dry-run", code=6)


def test_missing_signature_is_reported(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks["*/1.1.0/linux/amd64/awstoe.sig"] = tricks.status(404)
    assert "awstoe.sig does not exist" in scene.refused("--dry-run", code=4)
    assert not any(path.endswith("/awstoe") for path, _ in scene.server.requests)


def test_program_is_not_downloaded(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    assert scene.update("--dry-run").result["release"] == "1.1.0"
    assert not any(path.endswith("/awstoe") for path, _ in scene.server.requests)
    assert scene.installation.on_disk() == scene.before


def test_interrupted_update_is_reported_and_left_as_it_is(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    finished(scene.installation.process(die_at=InstallStep.SWAPPED))
    scene.installation.version = "1.1.0"
    left = scene.installation.on_disk()
    attempt = scene.update("--dry-run")
    assert attempt.code == 0
    assert "an earlier update was interrupted" in attempt.result["warnings"][0]
    assert scene.installation.on_disk() == left
    scene.updates_to("1.1.0")
    assert "awstoe.previous.sig" in scene.before
