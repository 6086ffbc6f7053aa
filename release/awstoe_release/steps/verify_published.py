"""verify-published: all files downloaded from every region, as a user would, and verified."""

import os

from awstoe_release import keys, verification
from awstoe_release.configuration import Region
from awstoe_release.failure import ReleaseFailure, Skip
from awstoe_release.plan import CHECKSUMS
from awstoe_release.progress import Progress
from awstoe_release.release import Made, Release
from awstoe_release.verification import FileVerdict, Visitor


def run(release: Release) -> Made:
    """Verify all regions that the version was published to.

    Raises:
        ReleaseFailure: No region has it.
        Skip: This is a dry run.
    """
    if release.dry_run:
        raise Skip(f"dry run: would download version {release.version} from every region")
    regions = release.regions_after("publish")
    expected = local_sums(release)
    visitor = Visitor(keys.keyring(release), os.path.join(release.folder, "downloads"))
    sizes = [os.path.getsize(release.document(name)) for name in expected]
    progress = Progress(
        "verify",
        files=len(expected) * len(regions),
        size=sum(sizes) * len(regions),
        regions=len(regions),
    )

    def visit(region: Region) -> list[FileVerdict]:
        found = visitor.folder(region, release.version, expected=expected, progress=progress)
        progress.region_done()
        return found

    try:
        found, failures = verification.everywhere(regions, visit)
    finally:
        progress.close()
    result: dict[str, dict[str, object]] = {
        name: {"passed": True, "files": len(files)} for name, files in found.items()
    }
    result |= {name: {"passed": False, "failure": each.message} for name, each in failures.items()}
    release.say(f"  {len(expected) + 1} files verified in {len(found)} regions")
    return Made({"regions": release.merged("verify-published", result)}, failures=failures)


def local_sums(release: Release) -> dict[str, str]:
    """The digests of this release's files, by name.

    Raises:
        ReleaseFailure: They are not on this machine.
    """
    path = release.document(CHECKSUMS)
    try:
        with open(path, encoding="utf-8") as stream:
            return dict(verification.sums(stream.read(), path))
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}", hint="run the step describe again"
        ) from error
