"""promote: let people and installed programs have the version, wave after wave of regions.

What the pointers will refer to was verified. Each wave is looked at as a user would before the next
begins, and a first wave, the canary, that fails ends the promotion. In a region that fails in the
middle, the pointers get back the version that they had.
"""

import os
import time
from collections.abc import Mapping, Sequence

from awstoe.update.releases import Version
from awstoe_release import keys, verification
from awstoe_release.configuration import Region, Wave
from awstoe_release.failure import RegionFailure
from awstoe_release.plan import Item, Phase
from awstoe_release.publishing import Outcome, RegionResult
from awstoe_release.release import Made, Release
from awstoe_release.s3 import Store
from awstoe_release.steps.verify_published import local_sums
from awstoe_release.verification import Visitor


def run(release: Release) -> Made:
    """Promote every region that was verified.

    Raises:
        ReleaseFailure: No region was verified.
    """
    ready = {region.name for region in release.regions_after("verify-published")}
    results: dict[str, dict[str, object]] = {}
    failures: dict[str, RegionFailure] = {}
    waves = [(wave, _of(release, wave, ready)) for wave in release.configuration.waves]
    waves = [(wave, regions) for wave, regions in waves if regions]
    for number, (wave, regions) in enumerate(waves):
        if number and not release.dry_run:
            _pause(release, waves[number - 1][0])
        failed = _wave(release, wave, regions, results)
        failures |= failed
        if failed and not number and len(waves) > 1:
            for _, later in waves[1:]:
                failures |= {each.name: _held_back(each, wave) for each in later}
            break
    results |= {name: {"passed": False, "failure": e.message} for name, e in failures.items()}
    return Made({"regions": release.merged("promote", results)}, failures=failures)


def _of(release: Release, wave: Wave, ready: set[str]) -> list[Region]:
    found = release.configuration.wave_regions(wave)
    return [region for region in found if region.name in ready]


def _pause(release: Release, wave: Wave) -> None:
    if wave.wait_seconds:
        release.say(f"  waiting {wave.wait_seconds} s after wave {wave.name}")
        time.sleep(wave.wait_seconds)


def _held_back(region: Region, wave: Wave) -> RegionFailure:
    return RegionFailure(
        region.name,
        f"not promoted: the wave {wave.name} before it failed",
        hint="mend that region, then: release run --from promote",
    )


def _wave(
    release: Release, wave: Wave, regions: Sequence[Region], results: dict[str, dict[str, object]]
) -> dict[str, RegionFailure]:
    """Promote the regions of one wave and look at them; gives those that failed."""
    items = [each for each in release.items if each.phase in {Phase.POINTERS, Phase.TIMESTAMP}]
    before = {} if release.dry_run else _versions(release, regions, items)
    failures = {name: held for name, had in before.items() if (held := _newer(release, name, had))}
    allowed = [region for region in regions if region.name not in failures]
    published = release.publisher.publish(allowed, items, f"promote {wave.name}")
    failures |= {name: each.failure for name, each in published.items() if each.failure}
    if not release.dry_run:
        for name in failures.keys() & published.keys():
            _restore(release, published[name], before.get(name, ""), items)
        passed = [region for region in regions if region.name not in failures]
        failures |= _looked_at(release, passed)
    for name, result in published.items():
        results[name] = {
            "passed": name not in failures,
            "wave": wave.name,
            "before": before.get(name, ""),
            **{outcome.value: result.count(outcome) for outcome in Outcome},
        }
    release.say(f"  wave {wave.name}: {len(regions) - len(failures)} of {len(regions)} regions")
    return failures


def _versions(
    release: Release, regions: Sequence[Region], items: Sequence[Item]
) -> Mapping[str, str]:
    """The version that each region's pointers have now; empty where there is none."""
    found: dict[str, str] = {}

    def look(region: Region) -> None:
        stored = release.publisher.store(region).look(items[0].key)
        found[region.name] = stored.metadata.get("version", "") if stored else ""

    release.publisher.each(regions, look)
    return found


def _newer(release: Release, name: str, had: str) -> RegionFailure | None:
    """Why a region keeps what it has: pointers never go back to a lower version."""
    if not had or Version(had) <= Version(release.version):
        return None
    return RegionFailure(
        name,
        f"it offers {had}, which is higher than {release.version}",
        hint=f"bring the contents back under a higher version: release rollback {release.version}",
    )


def _restore(release: Release, result: RegionResult, before: str, items: Sequence[Item]) -> None:
    """Give the pointers of a region that failed in the middle the version that they had."""
    changed = [
        item
        for item in items
        if item.source and result.outcomes.get(item.key) in {Outcome.COPIED, Outcome.SENT}
    ]
    if not changed or not before or before == release.version:
        return
    region = release.configuration.region(result.region)
    store = release.publisher.store(region)
    try:
        for item in changed:
            _point_back(store, item, f"{before}/{item.source.partition('/')[2]}", before)
    except RegionFailure as failure:
        release.say(
            f"  {region.name}: some pointers have {release.version}, others {before}, and they"
            f" cannot be put back: {failure.message}"
        )
    else:
        release.say(f"  {region.name}: its pointers have {before} again")


def _point_back(store: Store, item: Item, source: str, version: str) -> None:
    """Copy an older versioned object to a pointer."""
    original = store.look(source)
    if original is not None:
        store.copy_stored(item._replace(source=source), original, {"version": version})


def _looked_at(release: Release, regions: Sequence[Region]) -> dict[str, RegionFailure]:
    """Verify what users of these regions now get."""
    expected = local_sums(release)
    trust = keys.trust(release)
    visitor = Visitor(keys.keyring(release), os.path.join(release.folder, "downloads"))

    def visit(region: Region) -> None:
        visitor.folder(region, release.channel.pointers, expected=expected)
        if not release.channel.updates:
            return
        told = {each.path: each.sha256 for each in visitor.catalogue(region, trust.root).releases}
        for target in release.targets:
            key = os.path.relpath(release.program(target), release.tree)
            name = key.partition("/")[2]
            if told.get(key) != expected[name]:
                raise RegionFailure(
                    region.name, f"installed programs are not told of {key} as it was released"
                )

    return verification.everywhere(regions, visit)[1]
