"""conformance: the black-box tests on each program, on its own platform or an emulation of it."""

from awstoe_release import programs
from awstoe_release.failure import Skip
from awstoe_release.release import REPOSITORY, Made, Release


def run(release: Release) -> Made:
    """Run the suite on every program.

    Raises:
        ReleaseFailure: A program does not behave.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip(f"dry run: would test {', '.join(release.targets)}")
    for target in release.targets:
        release.say(f"  {target}")
        programs.run_shown(
            ["make", "conformance", f"FILE={release.built(target)}"],
            folder=REPOSITORY,
            variables={},
        )
    return Made({"targets": list(release.targets)})
