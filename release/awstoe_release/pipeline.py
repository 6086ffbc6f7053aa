"""A release, step by step. Read ``STEPS`` first: it is what happens, in the order it happens.

Each step can be run again at any time: what is made already is kept, what is published already is
not sent again. After a failure, a kill or a lost connection the same command goes on where it
stopped. A step that has nothing to do says why. All of it is in ``state.json``, and each result in
a file of its own below ``results/``.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from awstoe.errors import AwstoeError
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.release import Made, Release
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


class Step(NamedTuple):
    """One step of a release."""

    name: str
    run: Callable[[Release], Made]
    outside: bool = False
    """Whether it looks at or changes what is outside this machine, and so runs every time."""


STEPS: Final = (
    # Find out now what would go wrong in an hour: tag, versions, keys, disk, every bucket.
    Step("preflight", preflight.run, outside=True),
    # Make the file of each target, the release keys' public halves baked in.
    Step("build", build.run),
    # Nothing unwanted inside, nothing of this machine, no newer C library than promised.
    Step("inspect", inspect.run),
    # The black-box tests, on each file, on its own platform or an emulation of that.
    Step("conformance", conformance.run),
    # Windows' own signature. It changes the file, so everything after sees the signed one.
    Step("authenticode", authenticode.run),
    # SHA256SUMS, bill of materials, provenance, release notes and install scripts.
    Step("describe", describe.run),
    # A detached OpenPGP signature beside each file, verified at once.
    Step("sign", sign.run),
    # What installed programs update by: signed lists of what is published.
    Step("metadata", metadata.run),
    # Into all regions, under names that nobody is told yet.
    Step("publish", publish.run, outside=True),
    # Download all of it again from every region, as a user would, and verify.
    Step("verify-published", verify_published.run, outside=True),
    # Now tell: wave after wave, the canary first, each verified before the next.
    Step("promote", promote.run, outside=True),
    # An older program updates itself from the regions.
    Step("prove-update", prove_update.run),
    # Release notes and addresses, for people.
    Step("announce", announce.run),
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
        release: What is released.
        state: What was done before.
        begin: The step to begin with, done or not; the steps from there on run again.
        until: The last step to run; all when empty.
        only: Leave out all other steps, as if they were done.
        without: Steps to leave out, each with the reason.

    Returns:
        The regions that do not have the release, because something failed there.

    Raises:
        ReleaseFailure: A step failed; it is recorded.
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
            release.say(f"{step.name}: done before")
            continue
        failed |= set(_run(release, state, step, (without or {}).get(step.name, "")))
        # What a step makes, the ones after it are made from.
        changed = changed or (not step.outside and state.status(step.name) is Status.DONE)
    return failed


def _check_begin(state: State, begin: str) -> None:
    for name in NAMES[: NAMES.index(begin)]:
        if state.status(name) is None:
            raise ReleaseFailure(
                f"--from {begin}: the step {name} before it did not run yet",
                hint=f"begin with it: --from {name}",
            )


def _chosen(until: str) -> Sequence[Step]:
    return STEPS[: NAMES.index(until) + 1] if until else STEPS


def _run(release: Release, state: State, step: Step, left_out: str) -> Collection[str]:
    """Run one step and record how it ended; gives the regions that failed."""
    release.say(f"{step.name}{' (dry run)' if release.dry_run else ''}:")
    started = time.monotonic()
    made, status, reason = Made({}), Status.DONE, ""
    try:
        made = _skip(left_out) if left_out else step.run(release)
        if made.failures:
            status = Status.INCOMPLETE
            reason = f"{len(made.failures)} regions failed"
            _tell(release, made)
    except Skip as skip:
        status, reason = Status.SKIPPED, str(skip)
        release.say(f"  skipped: {reason}")
    except AwstoeError as failure:
        if not release.dry_run:
            seconds = time.monotonic() - started
            state.record(
                step.name, Status.FAILED, seconds=seconds, result={}, reason=failure.message
            )
        raise
    seconds = time.monotonic() - started
    if not release.dry_run:
        state.record(
            step.name,
            status,
            seconds=seconds,
            result=made.result,
            reason=reason,
            files=made.digests(release.folder),
        )
        number = NAMES.index(step.name) + 1
        results = os.path.join(release.folder, "results", f"{number:02}-{step.name}.json")
        write_json(results, {"step": step.name, "status": status.value, **made.result})
    release.say(f"  {status.value} ({seconds:.1f} s)")
    return made.failures


def _skip(reason: str) -> NoReturn:
    raise Skip(reason)


def _tell(release: Release, made: Made) -> None:
    """What failed where; regions with the same story together."""
    stories: dict[tuple[str, str | None], list[str]] = {}
    for name, failure in made.failures.items():
        stories.setdefault((failure.message, failure.hint), []).append(name)
    for (message, hint), names in stories.items():
        release.say(f"  {', '.join(names)}: {message}")
        if hint:
            release.say(f"    {hint}")
