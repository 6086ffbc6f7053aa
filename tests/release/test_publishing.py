"""Publishing to a real S3 server: what arrives, what is not sent again, what fails."""

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from awstoe_release.configuration import Configuration
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.plan import Item, Phase, content_type
from awstoe_release.publishing import Outcome, Publisher, RegionResult
from awstoe_release.rehearsal.client import Request, S3Server
from fakes.release_world import World

MIB = 1 << 20


def item(path: Path, key: str, *, phase: Phase = Phase.VERSIONED, source: str = "") -> Item:
    immutable = phase in {Phase.VERSIONED, Phase.METADATA}
    cache = "public, immutable" if immutable else "no-cache"
    return Item(key, str(path), phase, immutable, content_type(key), cache, source)


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """A small file, a file that is sent in two parts, and a pointer to each."""
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"small\n")
    large.write_bytes(os.urandom(5 * MIB + 1000))
    return [
        item(small, "1.0/small"),
        item(large, "1.0/large"),
        item(small, "latest/small", phase=Phase.POINTERS, source="1.0/small"),
        item(large, "latest/large", phase=Phase.POINTERS, source="1.0/large"),
    ]


def requests_with(server: S3Server, method: str) -> list[Request]:
    return [each for each in server.requests() if each.method == method]


def config(world: World) -> Configuration:
    return world.configuration("publish.part_mib=5", "publish.multipart_mib=5")


def publish(world: World, items: list[Item], **more: bool) -> dict[str, RegionResult]:
    settings = config(world)
    publisher = Publisher(settings.publish, version="1.0", **more)
    return publisher.publish(settings.regions, items, "test")


def outcomes(results: dict[str, RegionResult]) -> set[Outcome]:
    for result in results.values():
        assert result.failure is None, result.failure
    return {each for result in results.values() for each in result.outcomes.values()}


def test_every_region_gets_every_object_with_its_headers(world: World, items: list[Item]) -> None:
    assert outcomes(publish(world, items)) == {Outcome.SENT, Outcome.COPIED}
    for region in config(world).regions:
        bucket = world.bucket(region.name)
        for each in items:
            head = bucket.head(each.key)
            assert head is not None
            assert head.content_type == each.content_type
            assert head.cache_control == each.cache_control
            assert head.metadata["version"] == "1.0"
            assert bucket.get(each.key, 20 * MIB) == Path(each.path).read_bytes()


def test_a_second_run_sends_nothing(world: World, server: S3Server, items: list[Item]) -> None:
    publish(world, items)
    server.forget()
    assert outcomes(publish(world, items)) == {Outcome.PRESENT}
    assert {each.method for each in server.requests()} == {"HEAD"}


def test_an_object_is_recognized_by_its_checksum_regardless_of_its_part_size(
    world: World, server: S3Server, items: list[Item]
) -> None:
    publish(world, items)
    server.forget()
    other = world.configuration("publish.part_mib=6", "publish.multipart_mib=100")
    results = Publisher(other.publish, version="1.0").publish(other.regions, items, "test")
    assert outcomes(results) == {Outcome.PRESENT}


def test_a_dry_run_sends_nothing_and_reports_what_is_missing(
    world: World, server: S3Server, items: list[Item]
) -> None:
    assert outcomes(publish(world, items, dry_run=True)) == {Outcome.MISSING}
    assert {each.method for each in server.requests()} == {"HEAD"}


def test_a_published_file_never_changes(world: World, items: list[Item]) -> None:
    publish(world, items)
    Path(items[0].path).write_bytes(b"other")
    results = publish(world, items[:1])
    for result in results.values():
        assert result.failure is not None
        assert "is there with other contents" in result.failure.message
    assert world.bucket("us-east-1").get("1.0/small", 100) == b"small\n"


def test_a_pointer_follows_its_file(world: World, items: list[Item], tmp_path: Path) -> None:
    publish(world, items)
    newer = tmp_path / "newer"
    newer.write_bytes(b"newer")
    moved = [
        item(newer, "1.1/small"),
        item(newer, "latest/small", phase=Phase.POINTERS, source="1.1/small"),
    ]
    assert outcomes(publish(world, moved)) == {Outcome.SENT, Outcome.COPIED}
    assert world.bucket("us-east-1").get("latest/small", 100) == b"newer"


def test_a_missing_local_file_stops_publishing_before_anything_is_sent(
    world: World, server: S3Server, items: list[Item]
) -> None:
    Path(items[1].path).unlink()
    with pytest.raises(ReleaseFailure, match="cannot be read"):
        publish(world, items)
    assert server.requests() == []


FAULTS: dict[str, list[dict[str, Any]]] = {
    "500s": [{"kind": "error", "status": 500, "code": "InternalError", "probability": 0.2}],
    "throttling": [{"kind": "error", "status": 503, "code": "SlowDown", "probability": 0.2}],
    "reset in the middle of a part": [
        {"kind": "reset", "method": "PUT", "key": "large", "times": 4}
    ],
    "reset at the start": [{"kind": "down", "probability": 0.15, "times": 10}],
    "slow": [{"kind": "slow", "seconds": 0.2, "probability": 0.3}],
    "a lost response": [{"kind": "error", "method": "HEAD", "times": 2, "status": 503}],
}


@pytest.mark.parametrize("name", FAULTS)
def test_publishing_completes_despite_faults(
    world: World, server: S3Server, items: list[Item], name: str
) -> None:
    server.fail(*FAULTS[name])
    for _ in range(3):  # a region that fails is published to again
        results = publish(world, items)
        if not any(result.failure for result in results.values()):
            break
    server.fail()
    assert outcomes(publish(world, items)) == {Outcome.PRESENT}
    for each in items:
        assert world.bucket("ap-south-1").get(each.key, 20 * MIB) == Path(each.path).read_bytes()


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "down": ({"kind": "down"}, "cannot be reached"),
    "wrong checksum echoed": (
        {"kind": "checksum", "method": "PUT"},
        "S3 stored SHA-256",
    ),
    "denied": ({"kind": "error", "status": 403, "code": "AccessDenied"}, "access to the bucket"),
    "expired credentials": (
        {"kind": "error", "status": 400, "code": "ExpiredToken", "method": "PUT"},
        "credentials are expired",
    ),
    "clock": ({"kind": "clock", "seconds": 7200}, "clock is wrong"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_region_that_fails_does_not_stop_the_others(
    world: World, server: S3Server, items: list[Item], name: str
) -> None:
    fault, message = BROKEN[name]
    # HEAD requests succeed: their responses have no body for an error.
    server.fail({"method": "PUT", **fault, "bucket": "awstoe-us-east-1"})
    results = publish(world, items)
    failure = results["us-east-1"].failure
    assert failure is not None
    assert message in failure.message
    assert failure.hint
    for name_of_good in ("eu-north-1", "ap-south-1"):
        assert results[name_of_good].failure is None
        assert world.has(name_of_good, "latest/large")
    assert not world.has("us-east-1", "latest/small")
    server.fail()
    server.forget()
    assert Outcome.COPIED in outcomes(publish(world, items))
    assert {each.bucket for each in requests_with(server, "PUT")} == {"awstoe-us-east-1"}


def test_publishing_continues_after_credentials_expired_half_way(
    world: World, server: S3Server, items: list[Item]
) -> None:
    server.fail(
        {"kind": "error", "status": 400, "code": "ExpiredToken", "method": "PUT", "after": 5}
    )
    results = publish(world, items)
    assert all(result.failure for result in results.values())
    assert not any(world.has(name, "latest/small") for name in results)
    server.fail()
    assert outcomes(publish(world, items)) <= {Outcome.SENT, Outcome.COPIED, Outcome.PRESENT}
    assert all(world.has(name, "latest/large") for name in results)


def test_a_bucket_of_another_account_is_not_written(
    world: World, server: S3Server, items: list[Item]
) -> None:
    server.reset(config(world), owners={"us-east-1": "999999999999"})
    results = publish(world, items)
    failure = results["us-east-1"].failure
    assert failure is not None
    assert "us-east-1" in results
    assert {result.region for result in results.values() if result.failure} == {"us-east-1"}
    assert not [each for each in requests_with(server, "PUT") if "us-east-1" in each.bucket]


def test_an_object_that_another_process_changed_gets_no_pointer(
    world: World, items: list[Item]
) -> None:
    publish(world, items[:2])
    other = Path(items[0].path).with_name("other")
    other.write_bytes(b"small?")
    mutable = item(other, "1.0/small", phase=Phase.POINTERS)
    settings = config(world)
    Publisher(settings.publish, version="x").publish([settings.region("us-east-1")], [mutable], "")
    results = publish(world, items[2:])
    failure = results["us-east-1"].failure
    assert failure is not None
    assert "is not what was published" in failure.message
    assert not world.has("us-east-1", "latest/small")
    assert results["ap-south-1"].failure is None


@pytest.mark.parametrize("key", ["bucket", "1.0/bucket-list"])
def test_a_missing_object_is_not_taken_for_a_missing_bucket(world: World, key: str) -> None:
    assert world.bucket("us-east-1").head(key) is None
    assert world.bucket("us-east-1").get(key, 10) is None


def test_an_object_that_appears_between_checking_and_sending_is_compared(
    world: World, server: S3Server, items: list[Item]
) -> None:
    """As when the response is lost after S3 has stored the object: the next attempt finds it."""
    publish(world, items[:1])
    missing = {"kind": "error", "status": 404, "code": "404", "method": "HEAD", "times": 1}
    server.fail(*({**missing, "bucket": each.bucket} for each in config(world).regions))
    assert outcomes(publish(world, items[:1])) == {Outcome.SENT}
    assert {each.status for each in requests_with(server, "PUT")} == {200, 412}


def test_the_server_of_the_tests_checks_bodies_and_signatures(
    world: World, server: S3Server, tmp_path: Path
) -> None:
    """The tests rely on this: a wrong body and a missing signature are rejected."""
    path = tmp_path / "file"
    path.write_bytes(b"right")
    publisher = Publisher(config(world).publish, version="1.0")
    content = publisher.content(str(path))
    path.write_bytes(b"wrong")
    with pytest.raises(RegionFailure, match="did not match"):
        world.bucket("us-east-1").put(
            item(path, "1.0/x"),
            content,
            metadata={},
            bandwidth=publisher.bandwidth,
            sent=lambda _: None,
        )
    digest = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    unsigned = subprocess.run(
        [
            *("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "-d", "x"),
            *("-H", f"x-amz-checksum-sha256: {digest}"),
            f"{server.endpoint}/awstoe-us-east-1/1.0/x",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert unsigned.stdout == "403"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(
    world: World, server: S3Server, tmp_path: Path
) -> None:
    """Publishing 60 MiB to three regions needs little more memory than publishing 6 MiB."""
    code = (
        "import sys, resource\n"
        "from awstoe_release import configuration\n"
        "from awstoe_release.plan import Item, Phase\n"
        "from awstoe_release.publishing import Publisher\n"
        "folder, path, *overrides = sys.argv[1:]\n"
        "config = configuration.load(folder=folder, environment={}, overrides=overrides)\n"
        "item = Item(path[-5:], path, Phase.VERSIONED, True, 'x/y', 'no', '')\n"
        "results = Publisher(config.publish, version='1').publish(config.regions, [item], 't')\n"
        "assert not any(each.failure for each in results.values()), results\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    endpoint = server.endpoint
    peaks = []
    for name, size in (("small", 6), ("large", 60)):
        path = tmp_path / name
        with path.open("wb") as stream:
            stream.truncate(size * MIB)
        ended = subprocess.run(
            [
                *(sys.executable, "-c", code, str(world.settings), str(path)),
                *(f"publish.endpoint={endpoint}", "publish.account=123456789012"),
                *("publish.part_mib=5", "publish.multipart_mib=5"),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(ended.stdout) / 1024)
    assert peaks[1] - peaks[0] < 12, peaks
