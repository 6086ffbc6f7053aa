"""build: build each target's program, with the release keys' public halves in it."""

import os
import shutil
import sys

from awstoe_release import commands, state
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import program_key
from awstoe_release.release import Release, StepResult


def run(release: Release) -> StepResult:
    """Build, or take finished programs, and keep a copy that nothing else writes to.

    Raises:
        ReleaseFailure: A build fails, or a finished program is missing.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip(f"dry run: would build {', '.join(release.targets)}")
    programs: dict[str, object] = {}
    for target in release.targets:
        name = os.path.basename(program_key(release.version, target))
        if release.files:
            source = os.path.join(release.files, *target.split("/"), name)
        else:
            # As `make build` does, with the sources to release on the path.
            folders = [os.path.join(release.sources, name) for name in ("src", "build")]
            commands.run_in_terminal(
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
        programs[target] = {"sha256": digest, "size": os.path.getsize(release.built(target))}
        release.log(f"  {target}: sha256 {digest}")
    built = [release.built(target) for target in release.targets]
    return StepResult({"programs": programs}, built)


def _copy(source: str, destination: str) -> None:
    """Copy a program completely or not at all.

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
            hint="check that the program exists and that the disk has free space",
        ) from error
