"""publish: the version and the numbered trust metadata, into all regions. Nobody is told yet."""

from awstoe_release.failure import ReleaseFailure
from awstoe_release.plan import Phase
from awstoe_release.publishing import Outcome
from awstoe_release.release import Made, Release


def run(release: Release) -> Made:
    """Send what is not there.

    Raises:
        ReleaseFailure: A file is missing on this machine, or no region could be written.
    """
    items = [each for each in release.items if each.phase in {Phase.VERSIONED, Phase.METADATA}]
    results = release.publisher.publish(release.regions, items, "publish")
    regions: dict[str, dict[str, object]] = {}
    for name, result in results.items():
        regions[name] = {
            "passed": result.failure is None,
            **{outcome.value: result.count(outcome) for outcome in Outcome},
            **({"failure": result.failure.message} if result.failure else {}),
        }
    sent = sum(result.count(Outcome.SENT) for result in results.values())
    present = sum(result.count(Outcome.PRESENT) for result in results.values())
    failures = {name: each.failure for name, each in results.items() if each.failure}
    release.say(f"  {sent} objects sent, {present} were there, {len(results)} regions")
    if release.dry_run:
        missing = sum(result.count(Outcome.MISSING) for result in results.values())
        release.say(f"  dry run: {missing} objects would be sent")
    if len(failures) == len(results):
        first = next(iter(failures.values()))
        raise ReleaseFailure(f"no region could be written: {first.message}", hint=first.hint)
    return Made({"regions": release.merged("publish", regions)}, failures=failures)
