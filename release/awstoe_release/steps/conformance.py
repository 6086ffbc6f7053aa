"""conformance: run the black-box tests on each program, on its platform or an emulation."""

from awstoe_release import commands
from awstoe_release.failure import Skip
from awstoe_release.release import REPOSITORY, Release, StepResult


def run(release: Release) -> StepResult:
    """Run the suite on every program.

    Raises:
        ReleaseFailure: A test failed.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip(f"dry run: would test {', '.join(release.targets)}")
    for target in release.targets:
        release.log(f"  {target}")
        commands.run_in_terminal(
            ["make", "conformance", f"FILE={release.built(target)}"],
            folder=REPOSITORY,
            variables={},
        )
    return StepResult({"targets": list(release.targets)})
