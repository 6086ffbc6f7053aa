"""Combined options of ``self-update``: each has an effect, or is rejected."""

import sys

import pytest

from awstoe_signing.tuf import bundles
from fakes import release_server as tricks
from fakes.scene import Scene

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts play awstoe")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--url", ""], "'' is not a URL of releases"),
        (["--region", ""], "not published in the region ''"),
        (["--from-file", ""], "No such file"),
        (["--version", ""], "--version: expected a version such as 1.2.3, got ''"),
        (["--url", "https://x/", "--region", "eu-west-1"], "--region has no effect"),
    ],
)
@pytest.mark.parametrize("mode", [[], ["--check"], ["--dry-run"]])
def test_value_without_effect_is_rejected(
    scene: Scene, options: list[str], why: str, mode: list[str]
) -> None:
    assert why in scene.refused(*options, *mode, code=2)


def test_region_is_rejected_if_the_built_in_url_has_none(scene: Scene) -> None:
    scene.installation.trust = scene.publisher.write_trust(
        scene.folder / "one-place", scene.server.url + "us-east-2/"
    )
    assert scene.update("--check").code == 0
    assert "--region has no effect" in scene.refused("--region", "eu-west-1", code=2)


@pytest.mark.parametrize("place", [[], ["--from-file"], ["--region"], ["--url"]])
@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (["--check"], "available"),
        (["--check", "--wait"], "available"),
        (["--check", "--version", "1.1.0"], "available"),
        (["--dry-run"], "would-update"),
        (["--dry-run", "--version", "1.1.0", "--wait"], "would-update"),
        (["--dry-run", "--rollback", "--version", "1.1.0"], "would-update"),
        (["--rollback", "--version", "1.1.0"], "updated"),
        (["--wait", "--version", "1.1.0", "--quiet"], "updated"),
    ],
)
def test_compatible_options_are_accepted(
    scene: Scene, options: list[str], outcome: str, place: list[str]
) -> None:
    scene.publisher.add("1.1.0")
    bundle = scene.folder / "x.bundle"
    bundles.write(str(bundle), str(scene.publisher.folder), "1.1.0")
    values = {
        "--from-file": str(bundle),
        "--region": "eu-west-1",
        "--url": scene.server.url + "{region}/",
    }
    attempt = scene.update(*options, *place, *(values[each] for each in place))
    assert (attempt.code, attempt.result.get("outcome")) == (0, outcome), attempt.stderr
    assert attempt.result["release"] == "1.1.0"
    sources = {"--from-file": bundle.name, "--region": "eu-west-1"}
    assert attempt.result["source"] == sources.get("".join(place), "us-east-2")


def test_password_in_the_url_is_never_printed(scene: Scene) -> None:
    scene.server.tricks["nowhere/*"] = tricks.status(401)
    for address in (
        scene.server.url.replace("//", "//user:secret@") + "nowhere/",
        "https://user:secret@host/{oops}",
        "http://user:secret@127.0.0.1:1/",
        "http://user.invalid/x:secret@127.0.0.1:1/",
    ):
        attempt = scene.update("--url", address)
        assert attempt.code in (2, 4)
        assert "secret" not in attempt.stderr + str(attempt.result)
