"""Attacks on the trust metadata: the server sends what the attacker has made."""

import datetime as dt
import json
import os
import time
from collections.abc import Callable

import pytest
from tuf.api.metadata import MetaFile, Snapshot, Targets, Timestamp

from awstoe.cli import self_update, update_bundle
from awstoe.errors import AwstoeError
from awstoe.host.network.deadline import Timeouts
from awstoe.reporting.console import Console
from awstoe_signing.failure import SigningFailure
from awstoe_signing.tuf import bundles
from awstoe_signing.tuf import repository as tuf_repository
from fakes import release_server as tricks
from fakes.releases import NOW, Publisher, curve_key
from fakes.scene import Scene

ONE_SECOND_IN_TOTAL = Timeouts(connect=60, idle=60, total=1)


def tampered(data: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    """Return metadata with a changed signed part and the old signatures."""
    value = json.loads(data)
    change(value["signed"])
    return json.dumps(value).encode()


def test_unsigned_metadata(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    kept = scene.publisher.snapshot_of_metadata()
    value = json.loads(kept["timestamp.json"])
    value["signatures"] = []
    scene.server.tricks["*/metadata/timestamp.json"] = tricks.replaced(json.dumps(value).encode())
    assert "not signed by enough keys" in scene.refused()


def test_metadata_signed_by_a_wrong_key(scene: Scene) -> None:
    stranger = (curve_key("stranger"),)
    kept = scene.publisher.signers
    scene.publisher.signers = kept._replace(timestamp=stranger)
    with pytest.raises(SigningFailure):  # our own tools do not publish that
        scene.publisher.add("1.1.0")
    own = Publisher(scene.folder / "evil", scene.keys._replace(timestamp=stranger))
    own.add("9.0.0")
    evil = own.snapshot_of_metadata()
    for name, data in evil.items():
        scene.server.tricks[f"*/metadata/{name}"] = tricks.replaced(data)
    assert "not signed by enough keys" in scene.refused()


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_tampered_metadata(scene: Scene, role: str) -> None:
    if role == "root":
        scene.publisher.rotate(scene.keys.roots[:2])
    scene.publisher.add("1.1.0")
    kept = scene.publisher.snapshot_of_metadata()
    name = {"root": "2.root.json", "timestamp": "timestamp.json"}.get(role, f"2.{role}.json")

    def change(signed: dict[str, object]) -> None:
        signed["expires"] = "2199-01-01T00:00:00Z"

    scene.server.tricks[f"*/metadata/{name}"] = tricks.replaced(tampered(kept[name], change))
    assert "awstoe: error: us-east-2: the metadata " in scene.refused()


@pytest.mark.parametrize(
    "garbage", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b"<html>Log in, please</html>", b'{"a":']
)
@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.root.json"])
def test_garbage_instead_of_metadata(scene: Scene, garbage: bytes, name: str) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/metadata/{name}"] = tricks.replaced(garbage)
    message = scene.refused()
    assert "is not what was signed" in message or "the metadata is too large" in message


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_expired_metadata_freezes(scene: Scene, role: str) -> None:
    expiries = tuf_repository.Expiries()._replace(**{role: dt.timedelta(days=-1)})
    scene.publisher.repository = tuf_repository.MetadataRepository(
        str(scene.publisher.folder / "metadata"), expiries
    )
    scene.publisher.add("1.1.0")
    message = scene.refused()
    assert "the metadata is out of date" in message
    assert role in message
    assert "check the clock" in message


def test_expired_root_freezes(scene: Scene) -> None:
    scene.publisher.now = NOW - dt.timedelta(days=701)
    scene.publisher.rotate(scene.keys.roots[:2])
    scene.publisher.now = NOW
    scene.publisher.add("1.1.0")
    assert "Final root.json is expired" in scene.refused()


def test_lower_timestamp_version_is_a_rollback(scene: Scene) -> None:
    kept = scene.publisher.snapshot_of_metadata()
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    scene.publisher.restore_metadata(kept)
    assert "older than what this machine has seen" in scene.refused()


@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_lower_version_of_a_role_is_a_rollback(scene: Scene, role: str) -> None:
    """The online key was stolen, and signs old files again."""
    publisher = scene.publisher
    first = publisher.folder / "metadata/1.snapshot.json"
    publisher.add("1.1.0")
    scene.updates_to("1.1.0")

    def raise_version(signed: Snapshot) -> None:
        signed.version = 3

    older = MetaFile(1)
    if role == "targets":
        publisher.write_metadata("3.snapshot.json", first.read_bytes())
        older = publisher.write_metadata(
            "3.snapshot.json", publisher.forged("3.snapshot.json", raise_version)
        )

    def point_back(signed: Timestamp) -> None:
        signed.version += 1
        signed.snapshot_meta = older

    publisher.write_metadata("timestamp.json", publisher.forged("timestamp.json", point_back))
    assert "older than what this machine has seen" in scene.refused()


def test_rollback_to_a_lower_root_is_not_possible(scene: Scene) -> None:
    """A root that the program has followed once stays, whatever the server sends."""
    scene.publisher.rotate(scene.keys.roots[:2])
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    scene.server.tricks["*/metadata/2.root.json"] = tricks.status(404)
    assert scene.update().result["outcome"] == "current"
    history = os.listdir(scene.installation.state / "metadata" / "root_history")
    assert sorted(history) == ["1.root.json", "2.root.json"]


def test_fast_forward_is_undone_by_new_keys(scene: Scene) -> None:
    """A thief of the online keys has signed a version so high that none can follow."""

    def forward(signed: Timestamp) -> None:
        signed.version = 2**31

    data = scene.publisher.forged("timestamp.json", forward)
    scene.server.tricks["*/metadata/timestamp.json"] = tricks.replaced(data)
    assert scene.update().result["outcome"] == "current"
    scene.server.tricks.clear()
    scene.publisher.add("1.1.0")
    assert "older than what this machine has seen" in scene.refused()
    fresh = (curve_key("fresh"),)
    scene.publisher.rotate(scene.keys.roots[:2], timestamp=fresh)
    scene.publisher.signers = scene.publisher.signers._replace(timestamp=fresh)
    scene.publisher.publish()
    scene.updates_to("1.1.0")


def test_mix_and_match(scene: Scene) -> None:
    """The newest timestamp with the targets of another day."""
    scene.publisher.add("1.1.0")
    kept = scene.publisher.snapshot_of_metadata()
    scene.server.tricks["*/metadata/2.targets.json"] = tricks.replaced(kept["1.targets.json"])
    assert "us-east-2: the metadata is" in scene.refused()


def test_mixed_snapshot(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    kept = scene.publisher.snapshot_of_metadata()
    scene.server.tricks["*/metadata/2.snapshot.json"] = tricks.replaced(kept["1.snapshot.json"])
    assert "us-east-2: the metadata is" in scene.refused()


@pytest.mark.parametrize(
    "name", ["timestamp.json", "2.root.json", "2.snapshot.json", "2.targets.json"]
)
def test_endless_metadata(scene: Scene, name: str) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/metadata/{name}"] = tricks.endless()
    assert "the metadata is too large" in scene.refused()


def test_metadata_announced_as_too_large_is_not_read(scene: Scene) -> None:
    def trick(handler: tricks.Handler) -> None:
        handler.give(b"{}", headers={"Content-Length": "99999999999"})

    scene.server.tricks["*/metadata/timestamp.json"] = trick
    assert "99999999999 are announced" in scene.refused()


def test_slow_metadata(scene: Scene) -> None:
    """A byte now and then keeps each read alive; the total time does not."""
    scene.installation.timeouts = ONE_SECOND_IN_TOTAL
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    scene.server.tricks["*/metadata/timestamp.json"] = tricks.drip(head)
    message = scene.refused("--url", scene.server.url + "us-east-2/", code=4)
    assert "not complete after 1 second" in message


def test_slow_head_of_a_response(scene: Scene) -> None:
    scene.installation.timeouts = ONE_SECOND_IN_TOTAL
    scene.server.tricks["*/metadata/timestamp.json"] = tricks.drip(b"HTTP/1.1 200 OK\r\nA: ")
    message = scene.refused("--url", scene.server.url + "us-east-2/", code=4)
    assert "not complete after 1 second" in message


def test_silent_server(scene: Scene) -> None:
    scene.installation.timeouts = Timeouts(connect=60, idle=1, total=60)
    scene.server.tricks["*/metadata/timestamp.json"] = tricks.silent
    message = scene.refused("--url", scene.server.url + "us-east-2/", code=4)
    assert "the server stopped sending data" in message


def test_redirect_to_another_host(scene: Scene) -> None:
    elsewhere = "https://evil.invalid/metadata/timestamp.json"
    scene.server.tricks["*/metadata/timestamp.json"] = tricks.redirect(elsewhere)
    message = scene.refused(code=4)
    assert "redirects to another host (https://evil.invalid)" in message


def test_redirect_from_one_port_to_another(scene: Scene) -> None:
    scene.server.tricks["*"] = tricks.redirect("http://127.0.0.1:1/")
    assert "redirects to another host (http://127.0.0.1:1)" in scene.refused(code=4)


def test_redirects_in_a_circle(scene: Scene) -> None:
    scene.server.tricks["*"] = tricks.redirect("/round")
    assert "more than 3 redirects" in scene.refused(code=4)


def test_redirect_on_the_same_host_is_followed(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks["us-east-2/metadata/timestamp.json"] = tricks.redirect(
        "/us-east-1/metadata/timestamp.json"
    )
    scene.updates_to("1.1.0")


def test_root_rotation_over_several_versions(scene: Scene) -> None:
    old = scene.keys.roots
    fresh = tuple(curve_key(f"fresh-{number}") for number in range(3))
    scene.publisher.rotate(old[:2])
    scene.publisher.rotate((*old[:2], *fresh[:2]), root=fresh)
    for _ in range(5):
        scene.publisher.rotate(fresh[:2], root=fresh)
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")


def test_root_signed_by_new_keys_only(scene: Scene) -> None:
    """The attacker's keys are not those that the previous root names."""
    fresh = tuple(curve_key(f"fresh-{number}") for number in range(3))
    evil = tuf_repository.create_root(
        scene.publisher.roles(root=fresh),
        fresh[:2],
        expires=NOW + dt.timedelta(days=9),
        version=2,
    )
    scene.server.tricks["*/metadata/2.root.json"] = tricks.replaced(evil)
    assert "not signed by enough keys" in scene.refused()


def test_root_that_skips_a_version(scene: Scene) -> None:
    third = tuf_repository.create_root(
        scene.publisher.roles(), scene.keys.roots[:2], expires=NOW + dt.timedelta(9), version=3
    )
    scene.server.tricks["*/metadata/2.root.json"] = tricks.replaced(third)
    assert "Expected root version 2 instead got version 3" in scene.refused()


@pytest.mark.parametrize("copies", [1, 2])
def test_threshold_not_met(scene: Scene, copies: int) -> None:
    """Two keys must sign for the targets; one of them was stolen."""
    both = scene.keys.targets[:2]
    scene.publisher.thresholds["targets"] = 2
    scene.publisher.rotate(scene.keys.roots[:2], targets=both)
    scene.publisher.signers = scene.publisher.signers._replace(targets=both)
    scene.publisher.add("1.1.0")
    publisher = scene.publisher
    value = json.loads((publisher.folder / "metadata/2.targets.json").read_bytes())
    assert len(value["signatures"]) == 2
    value["signatures"] = value["signatures"][:1] * copies  # a repeated one counts once
    resign(publisher, json.dumps(value).encode())
    message = scene.refused()
    assert "not signed by enough keys" in message or "not what was signed" in message


def resign(publisher: Publisher, targets: bytes) -> None:
    """Publish other targets with snapshot and timestamp, whose keys were stolen too."""
    described = publisher.write_metadata("2.targets.json", targets)

    def list_targets(signed: Snapshot) -> None:
        signed.meta["targets.json"] = described

    snapshot = publisher.write_metadata(
        "2.snapshot.json", publisher.forged("2.snapshot.json", list_targets)
    )

    def list_snapshot(signed: Timestamp) -> None:
        signed.version += 1
        signed.snapshot_meta = snapshot

    publisher.write_metadata("timestamp.json", publisher.forged("timestamp.json", list_snapshot))


def test_two_signatures_one_missing(scene: Scene) -> None:
    both = scene.keys.timestamp[:2]
    scene.publisher.thresholds["timestamp"] = 2
    scene.publisher.rotate(scene.keys.roots[:2], timestamp=both)
    scene.publisher.signers = scene.publisher.signers._replace(timestamp=both)
    scene.publisher.add("1.1.0")
    value = json.loads((scene.publisher.folder / "metadata/timestamp.json").read_bytes())
    value["signatures"].pop()
    scene.server.tricks["*/metadata/timestamp.json"] = tricks.replaced(json.dumps(value).encode())
    assert "not signed by enough keys" in scene.refused()


def test_bad_mirror_then_good(scene: Scene) -> None:
    new = scene.publisher.add("1.1.0")
    scene.server.tricks["us-east-2/metadata/timestamp.json"] = tricks.replaced(b"{}")
    attempt = scene.updates_to("1.1.0")
    assert attempt.result["source"] == "us-east-1"
    assert "warning: us-east-2: the metadata is not what was signed" in attempt.stderr
    assert scene.installation.path.read_bytes() == new


def test_all_regions_down(scene: Scene) -> None:
    scene.server.tricks["*"] = tricks.status(503)
    message = scene.refused(code=4)
    assert "us-east-2: " in message
    assert message.count("also tried:") == 3


def first(times: int, trick: tricks.Trick) -> tricks.Trick:
    """Apply ``trick`` a number of times, then send the file."""
    left = [times]

    def either(handler: tricks.Handler) -> None:
        left[0] -= 1
        if left[0] >= 0:
            trick(handler)
        else:
            handler.serve(handler.path.lstrip("/").partition("/")[2])

    return either


def cut(handler: tricks.Handler) -> None:
    """Close the connection without a response."""
    handler.close_connection = True


def requested(scene: Scene, name: str) -> list[str]:
    """Return the regions that received requests for a file, in order."""
    return [path.partition("/")[0] for path, _ in scene.server.requests if path.endswith(name)]


@pytest.mark.parametrize("trick", [tricks.status(code) for code in (429, 500, 503)] + [cut])
@pytest.mark.parametrize("name", ["metadata/timestamp.json", "1.1.0/linux/amd64/awstoe"])
def test_region_that_is_busy_for_a_moment_gets_another_request(
    scene: Scene, trick: tricks.Trick, name: str
) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"us-east-2/{name}"] = first(2, trick)
    attempt = scene.updates_to("1.1.0")
    assert (attempt.result["source"], attempt.result["warnings"]) == ("us-east-2", [])
    assert requested(scene, name) == ["us-east-2"] * 3


def test_region_that_stays_busy_is_skipped(scene: Scene) -> None:
    scene.server.tricks["us-east-2/*"] = tricks.status(503)
    attempt = scene.update()
    assert attempt.result["source"] == "us-east-1"
    assert "got HTTP status 503 (tried 3 times); used us-east-1 instead" in attempt.stderr


@pytest.mark.parametrize("trick", [tricks.status(400), tricks.redirect("http://x.invalid/")])
def test_region_with_a_permanent_error_gets_one_request(scene: Scene, trick: tricks.Trick) -> None:
    scene.server.tricks["us-east-2/metadata/timestamp.json"] = trick
    assert scene.update().result["source"] == "us-east-1"
    assert requested(scene, "timestamp.json") == ["us-east-2", "us-east-1"]


def test_region_that_requests_a_long_wait_is_skipped_at_once(scene: Scene) -> None:
    def trick(handler: tricks.Handler) -> None:
        handler.give(b"", status=503, headers={"Retry-After": "3600"})

    scene.server.tricks["us-east-2/metadata/timestamp.json"] = trick
    attempt = scene.update()
    assert "503; it asks to wait 3600 seconds; used us-east-1 instead" in attempt.stderr
    assert requested(scene, "timestamp.json") == ["us-east-2", "us-east-1"]


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("metadata/timestamp.json", "UPDATE_ALL_METADATA_SECONDS"),
        ("1.1.0/linux/amd64/awstoe.sig", "UPDATE_ALL_SECONDS"),
        ("1.1.0/linux/amd64/awstoe", "UPDATE_ALL_SECONDS"),
    ],
)
def test_slow_regions_share_one_time_limit(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str, limit: str
) -> None:
    monkeypatch.setattr(f"awstoe.limits.{limit}", 0.9)
    scene.publisher.add("1.1.0")
    scene.server.tricks[f"*/{name}"] = tricks.drip(b"HTTP/1.1 200 OK\r\n\r\n", 0.02)
    attempt = scene.update()
    assert attempt.code == 4
    assert f"us-east-2: {scene.server.url}us-east-2/{name}: the response was not" in attempt.stderr
    assert attempt.stderr.count("skipped: the 1-second limit for all regions") == 3
    for region in ("us-east-1", "us-west-1", "us-west-2"):
        assert f"also tried: {region}: " in attempt.stderr
    assert requested(scene, name) == ["us-east-2"]
    assert scene.installation.path.read_bytes() == scene.old


def test_texts_of_the_publisher_do_not_control_the_terminal(
    scene: Scene, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    escapes = "\x1b[2J\x9b31m\u202e"
    file = scene.publisher.file("1.1.0")
    scene.publisher.publish(file._replace(notes=f"https://notes.invalid/{escapes}"))

    def output(*options: str) -> str:
        try:
            self_update.update(scene.installation.facts(), options, Console())
        except AwstoeError as error:
            Console().error(error)
        out, err = capfdbinary.readouterr()
        return (out + err).decode()

    escaped = "?[2J?31m?"
    assert f"release notes: https://notes.invalid/{escaped}" in output("--check")
    printed = output("--check", "--json")
    assert json.loads(printed)["notes"] == f"https://notes.invalid/{escapes}"
    assert all(each.isprintable() for each in printed.splitlines())
    scene.publisher.publish(withdrawn={"1.1.0": f"bad{escapes}", "1.0.0": f"old{escapes}"})
    assert f"was withdrawn: bad{escaped}" in output("--version", "1.1.0")
    assert f"version 1.0.0 was withdrawn: old{escaped}" in output("--check", "--version", "1.0.0")
    bundle = str(scene.folder / "bundle")
    bundles.write(bundle, str(scene.publisher.folder), "1.1.0")
    update_bundle.run(["verify", bundle, "--trust", str(scene.installation.trust)], Console())
    assert f"withdrawn: bad{escaped}" in capfdbinary.readouterr().out.decode()


def test_a_lagging_region_is_skipped(scene: Scene) -> None:
    kept = scene.publisher.snapshot_of_metadata()
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    scene.publisher.add("1.2.0")
    old = tricks.replaced(kept["timestamp.json"])
    scene.server.tricks["us-east-2/metadata/timestamp.json"] = old
    assert scene.updates_to("1.2.0").result["source"] == "us-east-1"


def test_named_region_is_first_and_the_others_of_its_partition_follow(scene: Scene) -> None:
    scene.publisher.add("1.1.0")
    scene.server.tricks["eu-west-1/*"] = tricks.status(500)
    attempt = scene.updates_to("1.1.0", "--region", "eu-west-1")
    assert scene.server.requests[0][0].startswith("eu-west-1/")
    assert attempt.result["source"] == "us-east-2"


def test_clock_set_back_by_years(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata that expired long ago would be valid again."""
    scene.publisher.add("1.1.0")
    scene.updates_to("1.1.0")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3 * 365 * 86_400)
    message = scene.refused()
    assert "this machine's clock says 20" in message
    assert "set the clock" in message


def test_clock_years_ahead(scene: Scene) -> None:
    """The same as metadata that was signed years ago."""
    scene.publisher.now = NOW - dt.timedelta(days=3 * 365)
    scene.publisher.add("1.1.0")
    message = scene.refused()
    assert "timestamp.json is expired; this machine's clock says" in message


def test_expiries_beyond_2038(scene: Scene) -> None:
    late = dt.timedelta(days=80 * 365)
    scene.publisher.repository = tuf_repository.MetadataRepository(
        str(scene.publisher.folder / "metadata"), tuf_repository.Expiries(late, late, late, late)
    )
    scene.publisher.add("1.1.0")
    attempt = scene.updates_to("1.1.0")
    assert attempt.result["validUntil"] > "2100"


def test_description_that_belongs_to_another_platform(scene: Scene) -> None:
    """The release tool was misled: the file listed for amd64 is described as arm64's."""
    file = scene.publisher.file("1.1.0")
    arm = scene.publisher.file("1.1.0", target=("linux", "arm64"))
    scene.publisher.publish(file, arm)

    def mislead(signed: Targets) -> None:
        custom = signed.targets["1.1.0/linux/amd64/awstoe"].unrecognized_fields["custom"]
        custom["arch"] = "arm64"

    resign(scene.publisher, scene.publisher.forged("2.targets.json", mislead))
    assert "1.1.0/linux/amd64/awstoe is described as 1.1.0/linux/arm64" in scene.refused()


def test_hash_that_leads_to_another_folder(scene: Scene) -> None:
    """The targets' key was stolen: a download, named by its hash, must not leave its folder."""
    new = scene.publisher.add("1.1.0")
    path = "1.1.0/linux/amd64/awstoe"

    def mislead(signed: Targets) -> None:
        signed.targets[path].hashes["sha256"] = "../../planted"

    resign(scene.publisher, scene.publisher.forged("2.targets.json", mislead))
    scene.server.tricks[f"*/{path}"] = tricks.break_off(len(new) - 1, times=100)
    assert f"{path}: its SHA-256 is malformed" in scene.refused()
    assert not list(scene.folder.rglob("planted*"))
