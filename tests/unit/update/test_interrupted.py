"""kill -9 at every step and at random moments: there is always a program that works."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe.update.install_record import InstallStep
from fakes.installation import finished
from fakes.scene import Scene

pytestmark = pytest.mark.slow

SWAPPED = (InstallStep.SWAPPED, InstallStep.SIGNED, InstallStep.HEALTHY, InstallStep.COMMITTED)
KILLS = 70


@pytest.mark.parametrize("step", list(InstallStep))
def test_an_update_killed_at_each_step_recovers(scene: Scene, step: InstallStep) -> None:
    new = scene.publisher.add("1.1.0")
    ended = finished(scene.installation.process(die_at=step))
    assert ended.code == -9
    version = "1.1.0" if step in SWAPPED else "1.0.0"
    assert scene.installation.version_output() == f"awstoe {version}"
    assert scene.installation.path.read_bytes() == (new if step in SWAPPED else scene.old)
    scene.installation.version = version
    scene.updates_to("1.1.0")
    assert scene.installation.path.read_bytes() == new
    assert set(scene.before) == {"awstoe", "awstoe.sig", "awstoe.previous", "awstoe.previous.sig"}
    scene.updates_to("1.0.0", "--rollback")
    assert scene.installation.path.read_bytes() == scene.old


def test_interrupted_swap_to_a_program_that_broke_is_undone(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    finished(scene.installation.process(die_at=InstallStep.SWAPPED))
    scene.installation.path.write_bytes(b"#!/bin/sh\nexit 3\n")
    scene.installation.version = "1.1.0"
    attempt = scene.update()
    assert attempt.code == 75
    assert "is the previous version again" in attempt.stderr
    assert scene.installation.path.read_bytes() == scene.old
    scene.installation.version = "1.0.0"
    scene.updates_to("1.1.0")


def test_an_interrupted_rollback_recovers(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    for step in (InstallStep.STARTED, InstallStep.BACKED_UP, InstallStep.SWAPPED):
        finished(scene.installation.process("--rollback", die_at=step))
        assert scene.installation.version_output() in ("awstoe 1.0.0", "awstoe 1.1.0")
    scene.installation.version = scene.installation.version_output().removeprefix("awstoe ")
    scene.updates_to("1.1.0")
    assert scene.installation.path.read_bytes() == new


def test_a_swap_with_a_damaged_record_is_undone(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    finished(scene.installation.process(die_at=InstallStep.SWAPPED))
    (scene.installation.bin / ".awstoe.update/journal.json").write_bytes(b'{"version": "1.')
    scene.installation.version = "1.1.0"
    assert scene.update().code == 75
    assert scene.installation.path.read_bytes() == scene.old


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_update_killed_at_random_moments_recovers(scene: Scene, seed: int) -> None:
    """Each of several hundred kills leaves a program that works, and the next update succeeds."""
    new = scene.publisher.add("1.1.0")
    (scene.folder / "new").write_bytes(new)
    ended = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "fakes.killer",
                str(scene.folder),
                str(scene.installation.trust),
            ),
            *(str(KILLS), str(seed)),
        ],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert f"{KILLS} killed" in ended.stdout
    shutil.rmtree(scene.folder / "rounds")
