"""verify-published: download all files from every region, as a user would, and verify them."""

import os

from awstoe_release import keys, verification
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Region
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import CHECKSUMS
from awstoe_release.progress import Progress
from awstoe_release.release import Release, StepResult
from awstoe_release.state import RegionRecord
from awstoe_release.verification import FileVerdict, ReleaseVerifier


def run(release: Release) -> StepResult:
    """Verify all regions that the version was published to.

    Raises:
        ReleaseFailure: No region has it.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip(f"dry run: would download version {release.version} from every region")
    regions = release.regions_after("publish")
    expected = local_sums(release)
    verifier = ReleaseVerifier(keys.keyring(release), os.path.join(release.folder, "downloads"))
    sizes = [os.path.getsize(release.document(name)) for name in expected]
    progress = Progress(
        "verify",
        files=len(expected) * len(regions),
        size=sum(sizes) * len(regions),
        regions=len(regions),
    )

    def verify(region: Region) -> list[FileVerdict]:
        verdicts = verifier.verify(region, release.version, expected=expected, progress=progress)
        progress.region_done()
        return verdicts

    try:
        verdicts, failures = in_all_regions(regions, verify, at_once=verification.REGIONS_AT_ONCE)
    finally:
        progress.close()
    records = {
        name: RegionRecord(passed=True, facts={"files": len(files)})
        for name, files in verdicts.items()
    }
    records |= {
        name: RegionRecord(passed=False, failure=each.message) for name, each in failures.items()
    }
    release.log(f"  {len(expected) + 1} files verified in {len(verdicts)} regions")
    return StepResult(regions=records, failures=failures)


def local_sums(release: Release) -> dict[str, str]:
    """Return the digests of this release's files, by name.

    Raises:
        ReleaseFailure: They are not on this machine.
    """
    path = release.document(CHECKSUMS)
    try:
        with open(path, encoding="utf-8") as stream:
            return dict(verification.sums(stream.read(), path))
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}",
            hint="run the step describe again: awstoe-release run --from describe",
        ) from error
