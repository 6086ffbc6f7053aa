"""promote: let people and installed programs have the version, one wave of regions after another.

The files that the pointers will refer to are verified. Each wave is verified as a user would see it
before the next wave starts. If the first wave, the canary, fails, the promotion ends. If a region
fails in the middle, its pointers are set back to the version that they had.
"""

import os
import time
from collections.abc import Mapping, Sequence

from awstoe.update.releases import Version
from awstoe_release import keys, verification
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region, Wave
from awstoe_release.failure import RegionFailure
from awstoe_release.plan import Item, Phase
from awstoe_release.publishing import Outcome, RegionResult
from awstoe_release.release import Release, StepResult
from awstoe_release.s3 import Bucket
from awstoe_release.state import RegionRecord
from awstoe_release.steps.verify_published import local_sums
from awstoe_release.verification import ReleaseVerifier


def run(release: Release) -> StepResult:
    """Promote every region that was verified.

    Raises:
        ReleaseFailure: No region was verified.
    """
    ready = {region.name for region in release.regions_after("verify-published")}
    records: dict[str, RegionRecord] = {}
    failures: dict[str, RegionFailure] = {}
    waves = [(wave, _of(release, wave, ready)) for wave in release.configuration.waves]
    waves = [(wave, regions) for wave, regions in waves if regions]
    for number, (wave, regions) in enumerate(waves):
        if number and not release.dry_run:
            _pause(release, waves[number - 1][0])
        failed = _promote_wave(release, wave, regions, records)
        failures |= failed
        if failed and not number and len(waves) > 1:
            for _, later in waves[1:]:
                failures |= {each.name: _held_back(each, wave) for each in later}
            break
    records |= {
        name: RegionRecord(passed=False, failure=each.message) for name, each in failures.items()
    }
    return StepResult(regions=records, failures=failures)


def _of(release: Release, wave: Wave, ready: set[str]) -> list[Region]:
    found = release.configuration.wave_regions(wave)
    return [region for region in found if region.name in ready]


def _pause(release: Release, wave: Wave) -> None:
    if wave.wait_seconds:
        release.log(f"  waiting {wave.wait_seconds} s after wave {wave.name}")
        time.sleep(wave.wait_seconds)


def _held_back(region: Region, wave: Wave) -> RegionFailure:
    return RegionFailure(
        region.name,
        f"not promoted: the wave {wave.name} before it failed",
        hint="fix that region, then run: awstoe-release run --from promote",
    )


def _promote_wave(
    release: Release, wave: Wave, regions: Sequence[Region], records: dict[str, RegionRecord]
) -> dict[str, RegionFailure]:
    """Promote the regions of one wave and verify them. Return those that failed."""
    phases = {Phase.POINTERS, Phase.TIMESTAMP}
    items = [each for each in release.list_items() if each.phase in phases]
    before = {} if release.dry_run else _versions(release, regions, items)
    failures = {
        name: refusal for name, had in before.items() if (refusal := _newer(release, name, had))
    }
    allowed = [region for region in regions if region.name not in failures]
    published = release.publisher.publish(allowed, items, f"promote {wave.name}")
    failures |= {name: each.failure for name, each in published.items() if each.failure}
    if not release.dry_run:
        for name in failures.keys() & published.keys():
            _restore(release, published[name], before.get(name, ""), items)
        passed = [region for region in regions if region.name not in failures]
        failures |= _verify(release, passed)
    for name, result in published.items():
        facts = {"wave": wave.name, "before": before.get(name, ""), **result.counts()}
        records[name] = RegionRecord(passed=name not in failures, facts=facts)
    release.log(f"  wave {wave.name}: {len(regions) - len(failures)} of {len(regions)} regions")
    return failures


def _versions(
    release: Release, regions: Sequence[Region], items: Sequence[Item]
) -> Mapping[str, str]:
    """Return the version that each region's pointers have now; empty if it has no pointers."""

    def version(region: Region) -> str:
        stored = release.publisher.bucket(region).head(items[0].key)
        return stored.metadata.get("version", "") if stored else ""

    found, _ = in_all_regions(regions, version, at_once=release.regions_at_once)
    return found


def _newer(release: Release, name: str, had: str) -> RegionFailure | None:
    """Return why a region keeps what it has: pointers never go back to a lower version."""
    if not had or Version(had) <= Version(release.version):
        return None
    return RegionFailure(
        name,
        f"it offers {had}, which is higher than {release.version}",
        hint="to bring the contents back under a higher version, run: awstoe-release rollback"
        f" {release.version}",
    )


def _restore(release: Release, result: RegionResult, before: str, items: Sequence[Item]) -> None:
    """Set the pointers of a region that failed in the middle back to the version they had."""
    changed = [
        item
        for item in items
        if item.source and result.outcomes.get(item.key) in {Outcome.COPIED, Outcome.SENT}
    ]
    if not changed or not before or before == release.version:
        return
    region = release.configuration.region(result.region)
    bucket = release.publisher.bucket(region)
    try:
        for item in changed:
            _point_back(bucket, item, f"{before}/{item.source.partition('/')[2]}", before)
    except RegionFailure as failure:
        release.log(
            f"  {region.name}: some pointers have {release.version}, others {before}, and they"
            f" cannot be set back: {failure.message}"
        )
    else:
        release.log(f"  {region.name}: its pointers have {before} again")


def _point_back(bucket: Bucket, item: Item, source: str, version: str) -> None:
    """Copy an older versioned object to a pointer."""
    original = bucket.head(source)
    if original is not None:
        bucket.copy_stored(item._replace(source=source), original, {"version": version})


def _verify(release: Release, regions: Sequence[Region]) -> dict[str, RegionFailure]:
    """Verify what users of these regions now get. Return the regions that failed."""
    expected = local_sums(release)
    trust = keys.trust(release)
    verifier = ReleaseVerifier(keys.keyring(release), os.path.join(release.folder, "downloads"))

    def verify(region: Region) -> None:
        verifier.verify(region, release.channel.pointers, expected=expected)
        if not release.channel.updates:
            return
        index = verifier.release_index(region, trust.root)
        offered = {each.path: each.sha256 for each in index.releases}
        for target in release.targets:
            key = os.path.relpath(release.program(target), release.tree)
            name = key.partition("/")[2]
            if offered.get(key) != expected[name]:
                raise RegionFailure(
                    region.name, f"the trust metadata does not offer {key} as it was released"
                )

    _, failures = in_all_regions(regions, verify, at_once=verification.REGIONS_AT_ONCE)
    return failures
