"""A published region can be used by other clients of The Update Framework than our own."""

from pathlib import Path

import pytest
from tuf.ngclient import Updater, UpdaterConfig

from awstoe_release import keys as release_keys
from awstoe_release.configuration import Region
from awstoe_release.release import Release
from fakes.release_world import TARGETS, World

pytestmark = pytest.mark.slow


def client(region: Region, release: Release, folder: Path) -> Updater:
    """Return the reference client as its documentation shows, which trusts only our root."""
    for name in ("metadata", "files"):
        (folder / name).mkdir(parents=True)
    return Updater(
        str(folder / "metadata"),
        region.folder_address + "metadata/",
        str(folder / "files"),
        region.folder_address,
        bootstrap=release_keys.trust(release).root,
        config=UpdaterConfig(),
    )


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_the_reference_client_downloads_every_program_of_every_version(
    world: World, tmp_path: Path, version: str
) -> None:
    releases = [world.release("1.0.0"), world.release("1.1.0")]
    for release in releases:
        world.run(release, until="promote")
    for region in releases[0].configuration.regions:
        updater = client(region, releases[1], tmp_path / region.name)
        for target in TARGETS:
            for name in (f"{version}/{target}/awstoe", f"{version}/{target}/awstoe.sig"):
                found = updater.get_targetinfo(name)
                assert found is not None
                place = updater.download_target(found)
                made = Path(releases[version == "1.1.0"].tree, name)
                assert Path(place).read_bytes() == made.read_bytes()
