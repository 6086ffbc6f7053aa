"""build: the program of each target, with the release keys' public halves in it."""

import os
import shutil
import sys

from awstoe_release import programs, state
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import program_key
from awstoe_release.release import Made, Release


def run(release: Release) -> Made:
    """Build, or take finished programs, and put a copy aside that nothing else writes to.

    Raises:
        ReleaseFailure: A build fails, or a finished program is missing.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip(f"dry run: would make {', '.join(release.targets)}")
    made: dict[str, object] = {}
    for target in release.targets:
        name = os.path.basename(program_key(release.version, target))
        if release.files:
            source = os.path.join(release.files, *target.split("/"), name)
        else:
            # What `make build` starts, with the sources that are released on the path.
            folders = [os.path.join(release.sources, name) for name in ("src", "build")]
            programs.run_shown(
                [
                    *(sys.executable, "-m", "awstoe_build", "build"),
                    *(f"--target={target}", f"--trust={release.trust}"),
                ],
                folder=release.sources,
                variables={
                    "PYTHONPATH": os.pathsep.join(folders),
                    "SOURCE_DATE_EPOCH": str(release.epoch),
                },
            )
            source = os.path.join(
                release.sources, "dist", release.version, *target.split("/"), name
            )
        _copy(source, release.built(target))
        digest = state.sha256_of(release.built(target))
        made[target] = {"sha256": digest, "size": os.path.getsize(release.built(target))}
        release.say(f"  {target}: sha256 {digest}")
    return Made({"programs": made}, [release.built(target) for target in release.targets])


def _copy(source: str, destination: str) -> None:
    """Copy a program so that it is whole or not there.

    Raises:
        ReleaseFailure: It cannot be copied.
    """
    try:
        os.makedirs(os.path.dirname(destination), exist_ok=True)
        shutil.copy(source, destination + ".new")
        os.replace(destination + ".new", destination)
    except OSError as error:
        raise ReleaseFailure(
            f"{source} cannot be copied to {destination}: {error.strerror}",
            hint="is the program there, and room on the disk?",
        ) from error
