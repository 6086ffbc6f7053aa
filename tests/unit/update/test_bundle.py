"""Bundles for machines without a network, and why bad ones are rejected."""

import datetime as dt
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from awstoe.cli import update_bundle
from awstoe.errors import AwstoeError
from awstoe.reporting.console import Console
from awstoe.update import fetch
from awstoe_signing.__main__ import main as signing_command
from awstoe_signing.failure import SigningFailure
from awstoe_signing.tuf import bundles
from fakes.releases import NOW, shell_program
from fakes.scene import Scene


@pytest.fixture
def bundle(scene: Scene) -> Path:
    scene.publisher.publish(
        scene.publisher.file("1.1.0"),
        scene.publisher.file(
            "1.1.0", shell_program("1.1.0", body=": arm"), target=("linux", "arm64")
        ),
    )
    path = scene.folder / "awstoe-1.1.0.bundle"
    bundles.write(str(path), str(scene.publisher.folder), "1.1.0")
    return path


def verified(scene: Scene, bundle: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Return the JSON of ``update-bundle verify``, also if it fails."""
    trust = str(scene.installation.trust)
    try:
        update_bundle.run(["verify", str(bundle), "--trust", trust, "--json"], Console())
    except AwstoeError:
        pass
    value: dict[str, object] = json.loads(capfd.readouterr().out)
    return value


def test_update_from_a_bundle_uses_no_network(scene: Scene, bundle: Path) -> None:
    scene.server.tricks["*"] = lambda _: pytest.fail("the network was used")
    attempt = scene.updates_to("1.1.0", "--from-file", str(bundle))
    assert attempt.result["source"] == bundle.name
    assert scene.server.requests == []
    scene.updates_to("1.0.0", "--rollback")


def test_bundle_is_good(scene: Scene, bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    message = verified(scene, bundle, capfd)
    assert message["verdict"] == "good"
    targets = [each["target"] for each in message["releases"]]  # type: ignore[attr-defined]
    assert targets == ["linux/amd64", "linux/arm64"]
    assert message["validUntil"] == (NOW + dt.timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_bundle_for_another_platform_is_rejected(scene: Scene, bundle: Path) -> None:
    path = bundle.with_name("arm.bundle")
    written = bundles.write(
        str(path), str(scene.publisher.folder), "1.1.0", targets=[("linux", "arm64")]
    )
    assert written == ("1.1.0/linux/arm64/awstoe",)
    message = scene.refused("--from-file", str(path), code=7)
    assert "there is no release for linux/amd64" in message


def test_a_bundle_may_contain_an_older_release(scene: Scene, bundle: Path) -> None:
    """Its metadata lists a newer release, which it does not contain."""
    scene.publisher.add("1.2.0")
    bundle.unlink()
    bundles.write(str(bundle), str(scene.publisher.folder), "1.1.0")
    scene.updates_to("1.1.0", "--from-file", str(bundle))


def test_bundle_without_a_program_is_not_good(
    scene: Scene, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(bundle) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, data in files.items():
            if name.startswith("metadata/"):
                archive.writestr(name, data)
    message = verified(scene, bundle, capfd)
    assert (message["verdict"], message["exitCode"]) == ("bad", 7)
    assert "contains none of the programs" in str(message["error"])


def test_bundle_that_cannot_be_written_leaves_nothing(scene: Scene, bundle: Path) -> None:
    kept = bundle.read_bytes()
    (scene.publisher.folder / "1.1.0/linux/amd64/awstoe.sig").unlink()
    with pytest.raises(SigningFailure, match=r"awstoe\.sig: No such file"):
        bundles.write(str(scene.folder / "part"), str(scene.publisher.folder), "1.1.0")
    assert not (scene.folder / "part").exists()
    with pytest.raises(SigningFailure, match="File exists"):
        bundles.write(str(bundle), str(scene.publisher.folder), "1.1.0")
    assert bundle.read_bytes() == kept


def test_bundle_is_written_by_a_command(
    scene: Scene, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = bundle.with_name("by-command")
    repository = str(scene.publisher.folder)
    options = ["--repository", repository, "--version", "1.1.0", "--target", "linux/arm64"]
    assert signing_command(["bundle", *options, str(made)]) == 0
    assert capsys.readouterr().out == "1.1.0/linux/arm64/awstoe\n"
    assert made.stat().st_size < bundle.stat().st_size
    assert signing_command(["bundle", *options, str(made)]) == 1
    assert "File exists" in capsys.readouterr().err


def test_a_bundle_requires_a_published_version(scene: Scene) -> None:
    with pytest.raises(SigningFailure, match=r"version 7\.0\.0 is not published"):
        bundles.write(str(scene.folder / "x"), str(scene.publisher.folder), "7.0.0")


def test_same_bundle_twice_has_the_same_bytes(scene: Scene, bundle: Path) -> None:
    again = bundle.with_name("again")
    bundles.write(str(again), str(scene.publisher.folder), "1.1.0")
    assert again.read_bytes() == bundle.read_bytes()


def test_old_bundle_is_a_rollback(scene: Scene, bundle: Path) -> None:
    scene.publisher.add("1.2.0")
    scene.updates_to("1.2.0")
    message = scene.refused("--from-file", str(bundle))
    assert "older than what this machine has seen" in message


def test_an_expired_bundle_is_rejected(
    scene: Scene, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scene.publisher.now = NOW - dt.timedelta(days=60)
    scene.publisher.add("1.2.0")
    bundle.unlink()
    bundles.write(str(bundle), str(scene.publisher.folder), "1.2.0")
    assert "out of date" in scene.refused("--from-file", str(bundle))
    assert "out of date" in str(verified(scene, bundle, capfd)["error"])


def rewritten(bundle: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change one file of a bundle, which stays a valid archive."""
    with zipfile.ZipFile(bundle) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    files[name] = change(files[name])
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as archive:
        for each, data in files.items():
            archive.writestr(each, data)


@pytest.mark.parametrize(
    "name",
    [
        "1.1.0/linux/amd64/awstoe",
        "1.1.0/linux/amd64/awstoe.sig",
        "metadata/timestamp.json",
        "metadata/2.snapshot.json",
        "metadata/2.targets.json",
    ],
)
def test_a_changed_file_in_a_bundle_is_rejected(
    scene: Scene, bundle: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    rewritten(bundle, name, lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:])
    scene.refused("--from-file", str(bundle))
    message = verified(scene, bundle, capfd)
    assert (message["verdict"], message["exitCode"]) == ("bad", 5)


def archive(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return buffer.getvalue()


def twice() -> bytes:
    data = archive({"metadata/a.json": b"1", "metadata/b.json": b"2"})
    return data.replace(b"b.json", b"a.json")


def zip64(entries: int = 6000) -> bytes:
    """Return an archive whose last record is small, and whose ZIP64 record is the true one."""
    listed = b"".join(
        struct.pack(
            "<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, 0, 0, 0, 0, 0x21, *[0] * 3, 4, *[0] * 6
        )
        + b"%04d" % number
        for number in range(entries)
    )
    large = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, len(listed), 0
    ) + struct.pack("<4sLQL", b"PK\x06\x07", 0, len(listed), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(large), len(listed), 0)
    return listed + large + end


def with_extra_field() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        entry = zipfile.ZipInfo("metadata/timestamp.json")
        entry.extra = struct.pack("<2H2Q", 1, 16, 2**40, 2**40)
        target.writestr(entry, b"{}")
    return buffer.getvalue()


def huge_directory() -> bytes:
    return b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 60_000, 60_000, 2**31, 0, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it has 0 bytes"),
        (b"x" * 5000, "ends with its directory"),
        (archive({"a": b"1"}) + b"trailing", "ends with its directory"),
        (b"prefix" + archive({"a": b"1"}), "does not fit the file"),
        (archive({"../../etc/cron.d/x": b"1"}), "is not a path in a repository"),
        (archive({"/etc/passwd": b"1"}), "is not a path in a repository"),
        (archive({"metadata/": b""}), "is not a path in a repository"),
        (archive({".hidden": b""}), "is not a path in a repository"),
        (archive({"a": bytes(99999)}, zipfile.ZIP_DEFLATED), "is compressed or encrypted"),
        (twice(), "is in it twice"),
        (zip64(), "it is a ZIP64 archive"),
        (zip64(1), "it is a ZIP64 archive"),
        (with_extra_field(), "has an extra field or a comment"),
        (archive({"aXb": b"1"}).replace(b"aXb", b"a\0b"), "is not a path in a repository"),
        (huge_directory(), "does not fit the file"),
        (archive({str(number): b"" for number in range(5001)}), "it has 5001 entries"),
        (archive({"metadata/timestamp.json": b"{}"}), "the metadata is not what was signed"),
        (archive({}), "metadata/timestamp.json is not in the bundle"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_malformed_bundle_is_rejected(scene: Scene, content: bytes, message: str) -> None:
    path = scene.folder / "bad.bundle"
    path.write_bytes(content)
    code = 4 if "not in the bundle" in message else 5
    assert message in scene.refused("--from-file", str(path), code=code)


@pytest.mark.parametrize(
    ("name", "change", "code", "message", "hint"),
    [
        ("awstoe", lambda data: data[:-5], 5, "is incomplete: expected", "make the bundle again"),
        ("awstoe", lambda data: data + b"x", 5, "it is too large", "if a new copy of the bundle"),
        ("awstoe", bytes.swapcase, 5, "the hash differs", "if a new copy of the bundle"),
        (
            "awstoe.sig",
            lambda _: None,
            4,
            "although the metadata lists it",
            "make the bundle again",
        ),
        (
            "awstoe.sig",
            lambda data: data[:-5],
            5,
            "the hash differs",
            "if a new copy of the bundle",
        ),
    ],
)
def test_a_file_that_differs_in_a_bundle_is_rejected_at_once(
    scene: Scene,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    change: Callable[[bytes], bytes | None],
    code: int,
    message: str,
    hint: str,
) -> None:
    """It cannot become right, as a download can: waiting and other regions do not help."""
    monkeypatch.setattr(fetch, "retry_delay", lambda *_: pytest.fail("it tries again"))
    with zipfile.ZipFile(bundle) as packed:
        files = {each: packed.read(each) for each in packed.namelist()}
    path = f"1.1.0/linux/amd64/{name}"
    changed = change(files.pop(path))
    bundle.write_bytes(archive({**files, **({} if changed is None else {path: changed})}))
    said = scene.refused("--from-file", str(bundle), code=code)
    assert message in said
    assert hint in said
    assert "region" not in said


def test_a_truncated_bundle_is_rejected(scene: Scene, bundle: Path) -> None:
    data = bundle.read_bytes()
    for size in range(0, len(data), len(data) // 40):
        bundle.write_bytes(data[:size])
        scene.refused("--from-file", str(bundle))


@pytest.mark.slow
def test_damaged_bundle_never_installs_anything_that_was_not_signed(
    scene: Scene, bundle: Path
) -> None:
    """Each changed byte leads to a rejection, or has no effect on the installed file."""
    data = bytearray(bundle.read_bytes())
    new = (scene.publisher.folder / "1.1.0/linux/amd64/awstoe").read_bytes()
    for position in range(len(data) - 900, len(data), 23):
        changed = bytearray(data)
        changed[position] ^= 0x41
        bundle.write_bytes(changed)
        attempt = scene.update("--check", "--from-file", str(bundle))
        assert attempt.code in (0, 4, 5), attempt.stderr
    for position in range(0, len(data) - 900, len(data) // 30):
        changed = bytearray(data)
        changed[position] ^= 0x41
        bundle.write_bytes(changed)
        attempt = scene.update("--from-file", str(bundle))
        assert attempt.code in (0, 4, 5), attempt.stderr
        if attempt.code == 0:
            assert scene.installation.path.read_bytes() == new
            scene.installation.version = "1.1.0"
            scene.updates_to("1.0.0", "--rollback")


def test_a_missing_bundle_is_reported(scene: Scene) -> None:
    assert "No such file" in scene.refused("--from-file", "/nowhere/x.bundle", code=2)


def test_a_bundle_cannot_be_checked_without_keys(scene: Scene, bundle: Path) -> None:
    with pytest.raises(AwstoeError, match="has no release keys to check with") as caught:
        update_bundle.run(["verify", str(bundle)], Console())
    assert caught.value.exit_code == 3
    with pytest.raises(AwstoeError, match="there are no release keys in"):
        update_bundle.run(["verify", str(bundle), "--trust", str(scene.folder)], Console())
