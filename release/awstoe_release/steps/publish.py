"""publish: send the version and numbered trust metadata to all regions, unannounced."""

from awstoe_release.failure import ReleaseFailure
from awstoe_release.plan import Phase
from awstoe_release.publishing import Outcome
from awstoe_release.release import Release, StepResult
from awstoe_release.state import RegionRecord


def run(release: Release) -> StepResult:
    """Send what the regions do not have.

    Raises:
        ReleaseFailure: A file is missing on this machine, or no region could be written.
    """
    phases = {Phase.VERSIONED, Phase.METADATA}
    items = [each for each in release.list_items() if each.phase in phases]
    results = release.publisher.publish(release.regions, items, "publish")
    regions = {
        name: RegionRecord(
            passed=result.failure is None,
            failure=result.failure.message if result.failure else "",
            facts=result.counts(),
        )
        for name, result in results.items()
    }
    sent = sum(result.count(Outcome.SENT) for result in results.values())
    present = sum(result.count(Outcome.PRESENT) for result in results.values())
    failures = {name: each.failure for name, each in results.items() if each.failure}
    release.log(f"  {sent} objects sent, {present} already there, {len(results)} regions")
    if release.dry_run:
        missing = sum(result.count(Outcome.MISSING) for result in results.values())
        release.log(f"  dry run: {missing} objects would be sent")
    if len(failures) == len(results):
        first = next(iter(failures.values()))
        raise ReleaseFailure(f"no region could be written: {first.message}", hint=first.hint)
    return StepResult(regions=regions, failures=failures)
