"""A whole release, and that a failure in it leaves nothing half done and a way to continue."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from awstoe_release import keys as release_keys
from awstoe_release import operations, pipeline, state
from awstoe_release.__main__ import main
from awstoe_release.failure import ReleaseFailure
from awstoe_release.rehearsal.client import S3Server
from awstoe_release.release import Release
from awstoe_release.state import State, Status
from awstoe_release.verification import ReleaseVerifier
from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.directory import Purpose, locked
from fakes.release_world import TARGETS, WITHOUT, World

pytestmark = pytest.mark.slow

REGIONS = ("eu-north-1", "us-east-1", "ap-south-1")
TIMED_OUT = 240


def verify(world: World, release: Release, prefix: str = "latest") -> None:
    """Verify all regions as a user: every file below ``prefix`` exists and is good."""
    verifier = ReleaseVerifier(release_keys.keyring(release), str(world.folder / "visits"))
    for region in release.configuration.regions:
        files = verifier.verify(region, prefix)
        assert {f"{prefix}/{target}/awstoe" for target in TARGETS} <= {each.key for each in files}
        index = verifier.release_index(region, release_keys.trust(release).root)
        assert release.version in {each.version.text for each in index.releases}


def versions(world: World) -> list[str]:
    return [world.version_at(region) for region in REGIONS]


def puts(server: S3Server) -> int:
    return sum(each.method == "PUT" for each in server.requests())


def in_a_process(
    world: World, version: str, *, killed_at: str = "", limit: int = 0
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "fakes.release_world", str(world.settings), str(world.folder)),
            *(world.keys, world.server.endpoint, version, killed_at, str(limit)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_version_is_released_and_the_one_before_updates_itself_to_it(
    world: World, server: S3Server
) -> None:
    first = world.release("1.0.0")
    assert world.run(first) == set()
    second = world.release("1.1.0", older=first.files)
    assert world.run(second) == set()
    verify(world, second)
    verify(world, second, "1.1.0")
    assert versions(world) == ["1.1.0"] * 3
    for step in pipeline.NAMES:
        expected = Status.SKIPPED if step in WITHOUT else Status.DONE
        assert second.state.status(step) is expected, step
    proofs = second.state.facts("prove-update")["regions"]
    update = {"before": "1.0.0", "after": "1.1.0", "back": "1.0.0"}
    assert proofs["eu-north-1"] == dict.fromkeys(TARGETS, update)
    assert proofs["us-east-1"] == {"linux/amd64": update}
    results = sorted(path.name for path in Path(second.folder, "results").iterdir())
    assert results[0] == "01-preflight.json"
    assert len(results) == len(pipeline.NAMES)
    announcement = Path(second.folder, "announcement.md").read_text()
    assert "What is new in 1.1.0." in announcement
    server.forget()
    assert world.run(world.release("1.1.0", older=first.files)) == set()
    assert puts(server) == 0


@pytest.mark.parametrize("step", [name for name in pipeline.NAMES if name != "preflight"])
def test_a_kill_at_any_step_leaves_nothing_half_done_and_the_next_run_completes(
    world: World, step: str
) -> None:
    world.run(world.release("1.0.0"), until="promote")
    child = in_a_process(world, "1.1.0", killed_at=step)
    _, errors = child.communicate(timeout=TIMED_OUT)
    assert child.returncode == -9, errors
    later = pipeline.NAMES.index(step) > pipeline.NAMES.index("promote")
    assert versions(world) == ["1.1.0" if later else "1.0.0"] * 3
    verify(world, world.release("1.0.0"))
    release = world.release("1.1.0")
    assert world.run(release) == set()
    verify(world, release)


@pytest.mark.parametrize("after", [3, 20, 60, 75, 90])
def test_a_kill_in_the_middle_of_publishing_lets_the_next_run_complete(
    world: World, server: S3Server, after: int
) -> None:
    server.fail({"kind": "slow", "seconds": 0.05, "method": "PUT"})
    child = in_a_process(world, "1.0.0")
    end = time.monotonic() + TIMED_OUT
    while puts(server) < after and time.monotonic() < end and child.poll() is None:
        time.sleep(0.01)
    child.kill()
    child.communicate(timeout=TIMED_OUT)
    server.fail()
    release = world.release("1.0.0")
    assert world.run(release) == set()
    verify(world, release)
    verify(world, release, "1.0.0")


def test_a_finished_step_runs_again_only_if_its_files_changed(world: World) -> None:
    world.run(world.release(), until="sign")
    world.log_lines.clear()
    release = world.release()
    world.run(release, until="sign")
    assert "build: done before" in world.text()
    assert "sign: done before" in world.text()
    Path(release.document("SHA256SUMS")).write_text("broken\n")
    world.log_lines.clear()
    world.run(world.release(), until="sign")
    assert "build: done before" in world.text()
    assert "describe:" in world.text()
    assert "sign: done before" not in world.text()


def test_from_needs_the_steps_before_it(world: World) -> None:
    with pytest.raises(ReleaseFailure, match="the step preflight before it did not run yet"):
        world.run(world.release(), begin="sign")
    world.run(world.release(), until="sign")
    world.log_lines.clear()
    world.run(world.release(), begin="describe", until="sign")
    assert "build" not in world.text()
    assert "describe:" in world.text()


def test_another_commit_is_another_release(world: World) -> None:
    world.run(world.release(), until="build")
    with pytest.raises(ReleaseFailure, match=r"was started for version 1\.0\.0 of commit c"):
        world.release(commit="d" * 40)


def test_a_damaged_state_is_reported(world: World) -> None:
    release = world.release()
    world.run(release, until="build")
    Path(release.folder, "state.json").write_text("{")
    with pytest.raises(ReleaseFailure, match=r"state\.json cannot be read"):
        world.release()


def test_a_second_release_at_the_same_time_is_rejected(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with state.locked(str(world.folder)):
        assert main(["run", "--out", str(world.folder)]) == 1
    assert f"another release is running (process {os.getpid()})" in capsys.readouterr().err
    with state.locked(str(world.folder)):
        pass


def test_a_dry_run_changes_nothing(world: World, server: S3Server) -> None:
    release = world.release()
    world.run(release, until="sign")
    server.forget()
    before = {path: path.stat().st_mtime_ns for path in Path(release.folder).rglob("*")}
    config = world.configuration()
    dry = world.release()._replace(
        dry_run=True,
        publisher=type(release.publisher)(config.publish, version="1.0.0", dry_run=True),
    )
    world.run(dry)
    assert {path: path.stat().st_mtime_ns for path in Path(release.folder).rglob("*")} == before
    assert {each.method for each in server.requests()} <= {"HEAD", "GET"}
    assert "objects would be sent" in world.text()


def test_a_region_that_is_down_is_reported_and_can_be_published_alone_later(
    world: World, server: S3Server
) -> None:
    release = world.release()
    world.run(release, until="metadata")
    server.fail({"kind": "down", "bucket": "awstoe-us-east-1"})
    # Not from preflight, which would stop the release: the region goes down after it.
    failed = pipeline.run(release, release.state, only=pipeline.NAMES[8:], without=WITHOUT)
    assert set(failed) == {"us-east-1"}
    assert "us-east-1: cannot read" in world.text()
    assert release.state.status("publish") is Status.INCOMPLETE
    server.fail()
    assert versions(world) == ["1.0.0", "", "1.0.0"]
    server.forget()
    alone = world.release()._replace(only=("us-east-1",))
    assert world.run(alone, begin="publish") == set()
    assert {each.bucket for each in server.requests() if each.method == "PUT"} == {
        "awstoe-us-east-1"
    }
    verify(world, release)
    assert set(alone.state.regions("promote")) == set(REGIONS)


def test_a_failed_canary_stops_the_other_regions(world: World, server: S3Server) -> None:
    world.run(world.release("1.0.0"))
    release = world.release("1.1.0")
    world.run(release, until="verify-published")
    server.fail(
        {"kind": "error", "status": 503, "method": "PUT", "key": "^latest/", "bucket": ".*north.*"}
    )
    assert world.run(release) == set(REGIONS)
    assert "not promoted: the wave canary before it failed" in world.text()
    server.fail()
    assert versions(world) == ["1.0.0"] * 3
    assert world.run(world.release("1.1.0"), begin="promote") == set()
    verify(world, release)


def test_a_region_that_fails_during_promotion_gets_its_old_pointers_back(
    world: World, server: S3Server
) -> None:
    first = world.release("1.0.0")
    world.run(first)
    release = world.release("1.1.0")
    world.run(release, until="verify-published")
    server.fail(
        {
            "kind": "error",
            "status": 403,
            "code": "AccessDenied",
            "method": "PUT",
            "bucket": ".*us-east-1",
            "key": "^latest/install",
            "times": 1,
        }
    )
    assert world.run(release) == {"us-east-1"}
    assert "us-east-1: its pointers have 1.0.0 again" in world.text()
    assert versions(world) == ["1.1.0", "1.0.0", "1.1.0"]
    verify(world, first)


def test_an_object_changed_between_upload_and_promotion_stops_its_region(
    world: World, server: S3Server
) -> None:
    first = world.release("1.0.0")
    world.run(first)
    release = world.release("1.1.0")
    world.run(release, until="verify-published")
    other = world.folder / "other"
    other.write_bytes(b"#!/bin/sh\necho gotcha\n")
    program = next(item for item in release.list_items() if item.key == "1.1.0/linux/amd64/awstoe")
    changed = program._replace(path=str(other), immutable=False)
    publisher = world.release("1.1.0").publisher
    publisher.publish([release.configuration.region("us-east-1")], [changed], "attack")
    server.forget()
    failed = pipeline.run(release, release.state, only=("promote",))
    assert set(failed) == {"us-east-1"}
    assert "is not what was published" in world.text()
    assert versions(world) == ["1.1.0", "1.0.0", "1.1.0"]
    assert world.run(world.release("1.1.0")) == {"us-east-1"}
    assert "is there with other contents" in world.text()


def test_a_full_disk_is_reported_and_the_next_run_completes(world: World) -> None:
    child = in_a_process(world, "1.0.0", limit=20_000)
    _, errors = child.communicate(timeout=TIMED_OUT)
    assert child.returncode == 1, errors
    assert "File too large" in errors
    assert "Traceback" not in errors
    release = world.release("1.0.0")
    assert world.run(release) == set()
    verify(world, release)


def test_metadata_of_an_abandoned_release_does_not_block_the_next(world: World) -> None:
    world.run(world.release("1.0.0"))
    world.run(world.release("1.1.0"), until="publish")
    release = world.release("1.1.1")
    assert world.run(release) == set()
    verify(world, release)
    assert "metadata of an abandoned release" in world.text()


def test_a_beta_is_offered_next_to_the_stable_version(world: World) -> None:
    stable = world.release("1.0.0")
    world.run(stable)
    beta = world.release("1.1.0-rc.1")._replace(channel_name="beta")
    assert world.run(beta) == set()
    assert versions(world) == ["1.0.0"] * 3
    assert world.version_at("us-east-1", "beta/linux/amd64/awstoe") == "1.1.0-rc.1"
    verify(world, stable)


PREFLIGHT_FAULTS = [
    ({"kind": "error", "status": 403, "code": "AccessDenied", "method": "POST"}, "is denied"),
    ({"kind": "error", "status": 404, "method": "HEAD"}, "does not exist"),
    ({"kind": "error", "status": 400, "code": "ExpiredToken", "method": "POST"}, "are expired"),
    ({"kind": "clock", "seconds": 600.0}, "clock is 10 minutes behind S3's"),
    ({"kind": "down"}, "cannot be reached"),
]


@pytest.mark.parametrize(("fault", "message"), PREFLIGHT_FAULTS)
def test_preflight_finds_what_is_wrong_in_all_regions_at_once(
    world: World, server: S3Server, fault: dict[str, object], message: str
) -> None:
    server.fail({**fault, "bucket": "awstoe-(us-east-1|ap-south-1)"})
    with pytest.raises(ReleaseFailure) as caught:
        world.run(world.release(), until="preflight")
    assert message in caught.value.message
    assert "us-east-1" in caught.value.message
    assert "ap-south-1" in caught.value.message
    assert "eu-north-1" not in caught.value.message


def test_preflight_finds_a_bucket_of_another_account(world: World, server: S3Server) -> None:
    server.reset(world.configuration(), owners={"ap-south-1": "999999999999"})
    with pytest.raises(ReleaseFailure, match=r"ap-south-1: .*not owned by account 123456789012"):
        world.run(world.release(), until="preflight")


def test_preflight_finds_missing_credentials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ReleaseFailure, match="there are no AWS credentials"):
        world.run(world.release(), until="preflight")


def test_preflight_leaves_nothing_in_the_buckets(world: World) -> None:
    world.run(world.release(), until="preflight")
    for region in REGIONS:
        assert list(world.bucket(region).names("")) == []


def test_preflight_rejects_a_key_that_is_about_to_expire(world: World) -> None:
    release = world.release("1.0.0", "expiry.key_refuse_days=2000")
    with pytest.raises(ReleaseFailure, match=r"the signing key \w+ expires in \d+ days"):
        world.run(release, until="preflight")
    world.run(world.release("1.0.0", "expiry.key_warn_days=2000"), until="preflight")
    assert "rotate it soon" in world.text()


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_preflight_reports_all_problems_of_the_sources_at_once(world: World) -> None:
    tree = world.sources("1.0.0")
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "commit", "-qm", "one")
    git(tree, "tag", "v1.0.1")
    (tree / "new-file").write_text("x")
    (tree / "src/awstoe/__init__.py").write_text('__version__ = "1.0.2"\n')
    git(tree, "commit", "-qam", "two")
    (tree / "CHANGELOG.md").write_text("changed")
    commit = git(tree, "rev-parse", "HEAD")
    release = world.release("1.0.1", commit=commit)._replace(sources=str(tree), rehearsal=False)
    with pytest.raises(ReleaseFailure) as caught:
        world.run(release, until="preflight")
    for message in (
        "the sources have version 1.0.2, the release is 1.0.1",
        "the tree has uncommitted changes: CHANGELOG.md, new-file",
        "the tag v1.0.1 is at commit",
        "has the throw-away keys of a rehearsal",
        "but this release goes to http://127.0.0.1",
        "src/awstoe/update/regions.toml cannot be read",
    ):
        assert message in caught.value.message
    untagged = release._replace(version="1.0.2")
    with pytest.raises(ReleaseFailure, match=r"the tag v1\.0\.2 does not exist"):
        pipeline.run(untagged, State(untagged.folder, {"steps": {}}), until="preflight")


def test_a_release_goes_to_the_regions_where_programs_look_for_updates(world: World) -> None:
    release = world.release("1.0.0")._replace(rehearsal=False)
    regions = Path(release.sources, "src/awstoe/update/regions.toml")
    regions.parent.mkdir()
    ours = (world.settings / "regions.toml").read_text()

    def problems(client: str) -> str:
        regions.write_text(client)
        with pytest.raises(ReleaseFailure) as caught:
            world.run(release, until="preflight")
        return caught.value.message

    assert "publish.regions" not in problems(ours)
    message = problems(ours.replace("us-east-1", "eu-west-3") + 'us-west-2 = "aws"\n')
    assert f"publish.regions (regions.toml) differs from {regions}" in message
    assert "only programs use eu-west-3, us-west-2; only this release uses us-east-1" in message
    assert "uses none" in problems(ours + 'us-west-2 = "aws"\n')
    world.run(release._replace(rehearsal=True), until="preflight")


def test_status_shows_what_regions_serve_and_where_they_differ(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.run(world.release("1.0.0"))
    world.run(world.release("1.1.0")._replace(only=("us-east-1",)))
    options = status_options(world)
    assert main(["status", *options]) == 1
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in table[2:]] == [
        ["eu-north-1", "1.0.0", "1"],
        ["us-east-1", "1.1.0", "2"],
        ["ap-south-1", "1.0.0", "1"],
    ]
    assert "differs from most regions" in table[3]
    assert main(["status", "--json", *options]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["us-east-1"]["drift"]
    assert data["eu-north-1"]["programs"]["linux/386"]["version"] == "1.0.0"
    assert 6 < data["eu-north-1"]["timestamp"]["days"] <= 7


def status_options(world: World) -> list[str]:
    config = world.configuration()
    overrides = [
        f"publish.endpoint={config.publish.endpoint}",
        f"publish.account={config.publish.account}",
        f"publish.url={config.publish.url}",
        f"product.targets={','.join(TARGETS)}",
    ]
    sets = [part for each in overrides for part in ("--set", each)]
    return ["--configuration", str(world.settings), "--keys", world.keys, *sets]


def test_a_version_can_be_verified_and_promoted_from_another_machine(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world.release("1.0.0")
    world.run(made, until="verify-published")
    options = [*status_options(world), "--out", str(world.folder / "elsewhere")]
    assert main(["verify", "1.0.0", *options]) == 0
    assert capsys.readouterr().out.count("files good") == 3
    assert main(["promote", "1.0.0", *options]) == 0
    verify(world, made)
    assert versions(world) == ["1.0.0"] * 3


def test_verify_reports_a_file_that_was_not_signed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    release = world.release("1.0.0")
    world.run(release)
    other = world.folder / "other"
    other.write_bytes(b"other")
    program = next(item for item in release.list_items() if item.key == "1.0.0/linux/386/awstoe")
    changed = program._replace(path=str(other), immutable=False)
    publisher = world.release("1.0.0").publisher
    publisher.publish([release.configuration.region("ap-south-1")], [changed], "attack")
    assert main(["verify", "1.0.0", *status_options(world)]) == 1
    out = capsys.readouterr().out
    assert "1.0.0/linux/386/awstoe: bad signature" in out
    assert out.count("files good") == 2


def test_pointers_never_go_back_to_a_lower_version(world: World) -> None:
    old = world.release("1.0.0")
    world.run(old)
    world.run(world.release("1.1.0"))
    failed = pipeline.run(old, old.state, only=("promote",))
    assert set(failed) == set(REGIONS)
    assert "it offers 1.1.0, which is higher than 1.0.0" in world.text()
    assert versions(world) == ["1.1.0"] * 3
    assert "switch --create bring-back-1.0.0" in operations.rollback_text("1.0.0", "/src")


def test_the_timestamp_is_kept_fresh_and_nothing_else_is_sent(
    world: World, server: S3Server
) -> None:
    release = world.release("1.0.0")
    world.run(release)
    server.forget()
    assert operations.refresh_timestamp(world.release("1.0.0")) == {}
    sent = [each for each in server.requests() if each.method == "PUT"]
    assert {each.key for each in sent} == {"metadata/timestamp.json"}
    assert len(sent) == 3
    verify(world, release)
    # Less than half of the snapshot's validity is left: it is signed again as well.
    server.forget()
    late = world.release("1.0.0", "expiry.snapshot_days=1000")
    assert operations.refresh_timestamp(late) == {}
    keys = {each.key for each in server.requests() if each.method == "PUT"}
    assert keys == {"metadata/timestamp.json", "metadata/2.snapshot.json"}
    verify(world, release)


def test_programs_see_that_a_version_is_withdrawn(world: World) -> None:
    world.run(world.release("1.0.0"))
    release = world.release("1.1.0")
    world.run(release)
    with pytest.raises(ReleaseFailure, match=r"1\.1\.0 is what latest/ offers"):
        operations.withdraw(world.release("1.1.0"), "1.1.0", "it breaks")
    assert operations.withdraw(world.release("1.1.0"), "1.0.0", "it breaks") == {}
    verifier = ReleaseVerifier(release_keys.keyring(release), str(world.folder / "visits"))
    root = release_keys.trust(release).root
    index = verifier.release_index(release.configuration.regions[0], root)
    withdrawn = {each.version.text: each.withdrawn for each in index.releases}
    assert withdrawn == {"1.0.0": "it breaks", "1.1.0": ""}
    assert world.has("us-east-1", "1.0.0/linux/amd64/awstoe")
    with pytest.raises(SigningFailure, match=r"version 9\.9\.9 is not published"):
        operations.withdraw(world.release("1.1.0"), "9.9.9", "what?")


def test_a_slow_region_fails_after_the_time_limit(world: World, server: S3Server) -> None:
    server.fail({"kind": "slow", "bucket": "awstoe-us-east-1", "seconds": 9, "key": "linux/386"})
    release = world.release("1.0.0", "publish.read_seconds=3", "publish.attempts=1")
    failed: list[str] = []
    thread = threading.Thread(target=lambda: failed.extend(world.run(release, until="publish")))
    thread.start()
    thread.join(TIMED_OUT)
    assert failed == ["us-east-1"]


@pytest.mark.parametrize("purpose", [Purpose.TIMESTAMP, Purpose.ROOT])
def test_programs_follow_another_metadata_key(
    world: World, tmp_path: Path, purpose: Purpose
) -> None:
    own = tmp_path / "keys"
    shutil.copytree(world.keys, own)
    release = world.release("1.0.0")._replace(keys=str(own))
    world.run(release)
    old_root = release_keys.trust(release).root
    assert operations.rotate_key(release, purpose, 500) == {}
    assert release_keys.trust(release).root != old_root
    verifier = ReleaseVerifier(release_keys.keyring(release), str(world.folder / "visits"))
    for region in release.configuration.regions:
        index = verifier.release_index(region, old_root)
        assert [each.version.text for each in index.releases] == ["1.0.0"] * len(TARGETS)
    following = world.release("1.1.0")._replace(keys=str(own))
    assert world.run(following) == set()
    verify(world, following)
    assert verifier.release_index(release.configuration.regions[0], old_root).releases


@pytest.mark.parametrize("purpose", [Purpose.OPENPGP, Purpose.TARGETS])
def test_keys_are_not_rotated_by_a_dry_run_or_during_another_change(
    world: World, tmp_path: Path, purpose: Purpose
) -> None:
    own = tmp_path / "keys"
    shutil.copytree(world.keys, own)
    before = (own / "keys.toml").read_bytes()
    release = world.release("1.0.0")._replace(keys=str(own))
    assert operations.rotate_key(release._replace(dry_run=True), purpose, 500) == {}
    assert f"would rotate the {purpose.value} key" in world.text()
    with (
        locked(str(own)),
        pytest.raises(SigningFailure, match="another command is changing the keys"),
    ):
        operations.rotate_key(release, purpose, 500)
    assert (own / "keys.toml").read_bytes() == before


def test_another_openpgp_key_signs_from_the_next_release_on(
    world: World, tmp_path: Path, server: S3Server
) -> None:
    own = tmp_path / "keys"
    shutil.copytree(world.keys, own)
    first = world.release("1.0.0")._replace(keys=str(own))
    world.run(first, until="promote")
    server.forget()
    assert operations.rotate_key(first, Purpose.OPENPGP, 500) == {}
    assert puts(server) == 0
    second = world.release("1.1.0")._replace(keys=str(own))
    world.run(second, until="promote")
    before, after = (each.state.facts("sign")["fingerprint"] for each in (first, second))
    assert before != after
    # Users who got the keys with 1.0.0 know the new one: it was the next key then.
    old = ReleaseVerifier(
        release_keys.keyring(world.release("1.0.0")), str(world.folder / "visits")
    )
    files = old.verify(second.configuration.regions[0], "latest")
    assert {each.fingerprint for each in files} == {after}
