"""A release, step by step. Read ``STEPS`` first: it is what happens, in this order.

Each step can be run again at any time: what is made is kept, and what is published is not sent
again. After a failure, a kill or a lost connection, the same command continues where it stopped. A
step that has nothing to do says why. All of this is in ``state.json``, and each step's result is in
a file of its own below ``results/``.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from awstoe.errors import AwstoeError
from awstoe_release.failure import ReleaseFailure, Skip, regions_by_problem
from awstoe_release.release import Release, StepResult
from awstoe_release.state import State, Status, write_json
from awstoe_release.steps import (
    announce,
    authenticode,
    build,
    conformance,
    describe,
    inspect,
    metadata,
    preflight,
    promote,
    prove_update,
    publish,
    sign,
    verify_published,
)


class PipelineStep(NamedTuple):
    """One step of a release."""

    name: str
    run: Callable[[Release], StepResult]
    outside: bool = False
    """Whether it reads or changes something outside this machine, and so runs every time."""


STEPS: Final = (
    # Find problems now instead of in an hour: tag, versions, keys, disk, every bucket.
    PipelineStep("preflight", preflight.run, outside=True),
    # Build each target's program, with the release keys' public halves in it.
    PipelineStep("build", build.run),
    # Check that nothing unwanted is inside, and no newer C library is needed than promised.
    PipelineStep("inspect", inspect.run),
    # Run the black-box tests on each program, on its own platform or an emulation of it.
    PipelineStep("conformance", conformance.run),
    # Add Windows' own signature. It changes the file, so all later steps use the signed file.
    PipelineStep("authenticode", authenticode.run),
    # Write SHA256SUMS, bill of materials, provenance, release notes and install scripts.
    PipelineStep("describe", describe.run),
    # Write a detached OpenPGP signature beside each file, and verify it.
    PipelineStep("sign", sign.run),
    # Sign the trust metadata that installed programs update from: lists of what is published.
    PipelineStep("metadata", metadata.run),
    # Send the files to all regions, under names that nothing refers to yet.
    PipelineStep("publish", publish.run, outside=True),
    # Download everything from every region, as a user would, and verify it.
    PipelineStep("verify-published", verify_published.run, outside=True),
    # Offer the version to users: wave by wave, the canary first, each verified before the next.
    PipelineStep("promote", promote.run, outside=True),
    # Let an older program update itself from the regions.
    PipelineStep("prove-update", prove_update.run),
    # Write the release notes and addresses for people.
    PipelineStep("announce", announce.run),
)

NAMES: Final = tuple(step.name for step in STEPS)


def run(
    release: Release,
    state: State,
    *,
    begin: str = "",
    until: str = "",
    only: Collection[str] = NAMES,
    without: Mapping[str, str] | None = None,
) -> Collection[str]:
    """Run the steps that are not done.

    Args:
        release: The release.
        state: What it has done so far.
        begin: The step to start with, done or not. The steps from there on run again.
        until: The last step to run; all if empty.
        only: Leave out all other steps, as if they were done.
        without: Steps to leave out, each with the reason.

    Returns:
        The regions that do not have the release because something failed there.

    Raises:
        AwstoeError: A step failed, which is recorded.
    """
    failed: set[str] = set()
    if begin:
        _check_begin(state, begin)
        for name in NAMES[NAMES.index(begin) :]:
            state.forget(name)
    changed = False
    for step in _chosen(until):
        before = begin and NAMES.index(step.name) < NAMES.index(begin)
        if before or step.name not in only:
            continue
        if not step.outside and not changed and state.is_done(step.name):
            release.log(f"{step.name}: done before")
            continue
        failed |= set(_run(release, state, step, (without or {}).get(step.name, "")))
        # Later steps are made from what this one makes.
        changed = changed or (not step.outside and state.status(step.name) is Status.DONE)
    return failed


def _check_begin(state: State, begin: str) -> None:
    for name in NAMES[: NAMES.index(begin)]:
        if state.status(name) is None:
            raise ReleaseFailure(
                f"--from {begin}: the step {name} before it did not run yet",
                hint=f"start with that step: --from {name}",
            )


def _chosen(until: str) -> Sequence[PipelineStep]:
    return STEPS[: NAMES.index(until) + 1] if until else STEPS


def _run(release: Release, state: State, step: PipelineStep, left_out: str) -> Collection[str]:
    """Run one step and record how it ended. Return the regions that failed."""
    release.log(f"{step.name}{' (dry run)' if release.dry_run else ''}:")
    started = time.monotonic()
    result, status, reason = StepResult(), Status.DONE, ""
    try:
        result = _skip(left_out) if left_out else step.run(release)
        if result.failures:
            status = Status.INCOMPLETE
            reason = f"{len(result.failures)} regions failed"
            _log_failures(release, result)
    except Skip as skip:
        status, reason = Status.SKIPPED, str(skip)
        release.log(f"  skipped: {reason}")
    except AwstoeError as failure:
        if not release.dry_run:
            seconds = time.monotonic() - started
            state.record(
                step.name, Status.FAILED, seconds=seconds, facts={}, reason=failure.message
            )
        raise
    seconds = time.monotonic() - started
    if not release.dry_run:
        facts = {**result.facts, **_regions(state, step, result)}
        state.record(
            step.name,
            status,
            seconds=seconds,
            facts=facts,
            reason=reason,
            files=result.digests(release.folder),
        )
        number = NAMES.index(step.name) + 1
        path = os.path.join(release.folder, "results", f"{number:02}-{step.name}.json")
        write_json(path, {"step": step.name, "status": status.value, **facts})
    release.log(f"  {status.value} ({seconds:.1f} s)")
    return result.failures


def _regions(state: State, step: PipelineStep, result: StepResult) -> Mapping[str, object]:
    """Return the results by region for the JSON files, with those of earlier runs."""
    if not result.regions:
        return {}
    regions = {**state.regions(step.name), **result.regions}
    return {"regions": {name: each.as_json() for name, each in regions.items()}}


def _skip(reason: str) -> NoReturn:
    raise Skip(reason)


def _log_failures(release: Release, result: StepResult) -> None:
    """Log what failed, with the regions that have the same problem on one line."""
    for (message, hint), names in regions_by_problem(result.failures).items():
        release.log(f"  {', '.join(names)}: {message}")
        if hint:
            release.log(f"    {hint}")
