"""Trust metadata as the release tooling writes it."""

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from awstoe_signing.failure import SigningFailure
from awstoe_signing.keys.signers import LocalSigner, PrivateKey
from awstoe_signing.tuf import repository as tuf_repository
from awstoe_signing.tuf.repository import MetadataRepository, ReleaseFile, ReleaseSigners, RoleKeys

NOW = dt.datetime(2030, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)


def signer(name: str, key: PrivateKey | None = None) -> LocalSigner:
    return LocalSigner(key or ec.generate_private_key(ec.SECP256R1()), name)


ROOTS = tuple(signer(f"root-{number}") for number in range(3))
TARGETS, SNAPSHOT, TIMESTAMP = (signer(name) for name in ("targets", "snapshot", "timestamp"))
SIGNERS = ReleaseSigners((TARGETS,), (SNAPSHOT,), (TIMESTAMP,))


def roles(threshold: int = 2, *, roots: tuple[LocalSigner, ...] = ROOTS) -> dict[str, RoleKeys]:
    return {
        "root": RoleKeys(tuple(each.public_key for each in roots), threshold),
        "targets": RoleKeys((TARGETS.public_key,)),
        "snapshot": RoleKeys((SNAPSHOT.public_key,)),
        "timestamp": RoleKeys((TIMESTAMP.public_key,)),
    }


def root(**options: Any) -> bytes:  # noqa: ANN401 - of create_root
    return tuf_repository.create_root(roles(), ROOTS[:2], expires=NOW + YEAR, **options)


@pytest.fixture
def repository(tmp_path: Path) -> MetadataRepository:
    created = MetadataRepository(str(tmp_path / "metadata"))
    created.write_root(root())
    return created


def a_file(folder: Path, version: str = "1.0.0", content: bytes = b"program") -> ReleaseFile:
    program, signature = folder / f"program-{version}", folder / f"signature-{version}"
    program.write_bytes(content)
    signature.write_bytes(b"signature of " + content)
    return ReleaseFile(
        version, "linux", "amd64", str(program), str(signature), "2.17", "https://x/notes"
    )


def signed(folder: Path, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "metadata" / name).read_bytes())["signed"]
    return value


def test_the_first_release_is_complete(tmp_path: Path, repository: MetadataRepository) -> None:
    written = repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    assert written == ("1.targets.json", "1.snapshot.json", "timestamp.json")
    targets = signed(tmp_path, "1.targets.json")
    assert set(targets["targets"]) == {"1.0.0/linux/amd64/awstoe", "1.0.0/linux/amd64/awstoe.sig"}
    assert targets["targets"]["1.0.0/linux/amd64/awstoe"]["custom"] == {
        "version": "1.0.0",
        "os": "linux",
        "arch": "amd64",
        "signature": "1.0.0/linux/amd64/awstoe.sig",
        "glibc": "2.17",
        "notes": "https://x/notes",
    }
    assert targets["expires"] == "2031-05-06T07:08:09Z"
    assert signed(tmp_path, "timestamp.json")["expires"] == "2030-05-13T07:08:09Z"
    assert repository.published().metadata == (
        *("1.root.json", "1.targets.json", "1.snapshot.json", "timestamp.json"),
    )


def test_a_release_keeps_the_earlier_ones(tmp_path: Path, repository: MetadataRepository) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    repository.publish([a_file(tmp_path, "1.1.0", b"newer")], SIGNERS, now=NOW)
    assert len(signed(tmp_path, "2.targets.json")["targets"]) == 4
    assert len(signed(tmp_path, "1.targets.json")["targets"]) == 2
    assert repository.published().programs == (
        *("1.0.0/linux/amd64/awstoe", "1.1.0/linux/amd64/awstoe"),
    )


def test_published_file_never_changes(tmp_path: Path, repository: MetadataRepository) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    with pytest.raises(SigningFailure, match="is published with other content"):
        repository.publish([a_file(tmp_path, content=b"other")], SIGNERS, now=NOW)


def test_timestamp_is_refreshed_alone(tmp_path: Path, repository: MetadataRepository) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    before = {path.name for path in (tmp_path / "metadata").iterdir()}
    later = NOW + dt.timedelta(days=3)
    assert repository.refresh_timestamp([TIMESTAMP], now=later) == "timestamp.json"
    timestamp = signed(tmp_path, "timestamp.json")
    assert (timestamp["version"], timestamp["expires"]) == (2, "2030-05-16T07:08:09Z")
    assert {path.name for path in (tmp_path / "metadata").iterdir()} == before


def test_snapshot_is_refreshed_with_the_timestamp(
    tmp_path: Path, repository: MetadataRepository
) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    assert repository.refresh(SIGNERS, now=NOW) == ("2.snapshot.json", "timestamp.json")


def test_a_version_is_withdrawn_with_its_reason(
    tmp_path: Path, repository: MetadataRepository
) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    repository.publish([], SIGNERS, now=NOW, withdrawn={"1.0.0": "it is broken"})
    targets = signed(tmp_path, "2.targets.json")["targets"]
    assert targets["1.0.0/linux/amd64/awstoe"]["custom"]["withdrawn"] == "it is broken"
    with pytest.raises(SigningFailure, match=r"version 7\.0\.0 is not published"):
        repository.publish([], SIGNERS, now=NOW, withdrawn={"7.0.0": "never was"})


def test_withdrawn_version_that_is_published_again_stays_withdrawn(
    tmp_path: Path, repository: MetadataRepository
) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW, withdrawn={"1.0.0": "it is broken"})
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    targets = signed(tmp_path, "2.targets.json")["targets"]
    assert targets["1.0.0/linux/amd64/awstoe"]["custom"]["withdrawn"] == "it is broken"


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_wrong_key_signs_nothing(tmp_path: Path, repository: MetadataRepository, role: str) -> None:
    stranger = SIGNERS._replace(**{role: (signer("stranger"),)})
    with pytest.raises(SigningFailure, match=f"the {role} metadata is not signed by enough keys"):
        repository.publish([a_file(tmp_path)], stranger, now=NOW)


def test_a_root_with_too_few_signatures_is_rejected() -> None:
    with pytest.raises(SigningFailure, match="the root metadata is not signed by enough keys"):
        tuf_repository.create_root(roles(), ROOTS[:1], expires=NOW + YEAR)


def test_a_threshold_that_cannot_be_met_is_rejected() -> None:
    with pytest.raises(SigningFailure, match="a threshold of 4 cannot be met by 3 keys"):
        tuf_repository.create_root(roles(4), ROOTS, expires=NOW + YEAR)


def test_a_role_without_keys_is_rejected() -> None:
    some = roles()
    del some["snapshot"]
    with pytest.raises(SigningFailure, match="expected keys for root, targets, snapshot"):
        tuf_repository.create_root(some, ROOTS[:2], expires=NOW + YEAR)


def test_root_is_rotated_by_old_and_new_keys(repository: MetadataRepository) -> None:
    fresh = tuple(signer(f"fresh-{number}") for number in range(3))
    with pytest.raises(SigningFailure, match="not signed by enough keys"):
        tuf_repository.rotate_root(root(), roles(roots=fresh), fresh, expires=NOW + YEAR)
    with pytest.raises(SigningFailure, match="not signed by enough keys"):
        tuf_repository.rotate_root(root(), roles(roots=fresh), ROOTS, expires=NOW + YEAR)
    both = (*ROOTS[:2], *fresh[:2])
    following = tuf_repository.rotate_root(root(), roles(roots=fresh), both, expires=NOW + YEAR)
    assert repository.write_root(following) == "2.root.json"
    assert repository.root().version == 2
    with pytest.raises(SigningFailure, match="expected root version 3, got 2"):
        repository.write_root(following)


def test_rsa_and_ecdsa_keys_can_sign_metadata() -> None:
    large = signer("rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert tuf_repository.public_key(large.public_key).scheme == "rsa-pkcs1v15-sha256"
    wide = signer("p384", ec.generate_private_key(ec.SECP384R1()))
    assert tuf_repository.public_key(wide.public_key).scheme == "ecdsa-sha2-nistp384"
    keys = {name: RoleKeys((key.public_key,)) for name, key in zip(
        tuf_repository.ROLES, (large, wide, TARGETS, TIMESTAMP), strict=True
    )}  # fmt: skip
    tuf_repository.create_root(keys, [large], expires=NOW + YEAR)
    keys["root"] = RoleKeys((wide.public_key,))
    tuf_repository.create_root(keys, [wide], expires=NOW + YEAR)
    odd = ec.generate_private_key(ec.SECP521R1()).public_key()
    with pytest.raises(SigningFailure, match="cannot be signed with a key of the kind"):
        tuf_repository.public_key(odd)


def test_refreshing_before_publishing_is_rejected(
    repository: MetadataRepository, tmp_path: Path
) -> None:
    with pytest.raises(SigningFailure, match="nothing has been published yet"):
        repository.refresh_timestamp([TIMESTAMP], now=NOW)
    with pytest.raises(SigningFailure, match=r"0\.root\.json"):
        MetadataRepository(str(tmp_path / "empty")).root()


def test_damaged_metadata_is_reported(tmp_path: Path, repository: MetadataRepository) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    (tmp_path / "metadata/1.targets.json").write_bytes(b"{")
    with pytest.raises(SigningFailure, match=r"1\.targets\.json is not trust metadata"):
        repository.publish([a_file(tmp_path, "1.1.0")], SIGNERS, now=NOW)


class Killed(BaseException):
    """Ends the process: nothing handles this, so the disk is left as after a kill."""


def kill_before(call: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """End the process before its ``call``-th change of the disk. Yield the list of changes."""
    done: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def change(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - of any function
            if len(done) == call:
                raise Killed
            done.append(name)
            return real(*arguments, **options)

        return change

    for name in ("open", "write", "fsync", "replace"):
        monkeypatch.setattr(os, name, counted(name))
    return done


def check_whole(folder: Path) -> None:
    """Check that every file that the timestamp leads to exists and has its hash."""
    described = signed(folder, "timestamp.json")["meta"]["snapshot.json"]
    for role in ("snapshot", "targets"):
        name = f"{described['version']}.{role}.json"
        data = (folder / "metadata" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == described["hashes"]["sha256"]
        described = json.loads(data)["signed"].get("meta", {}).get("targets.json")


def test_a_kill_while_publishing_leaves_the_old_metadata_and_can_be_repeated(
    tmp_path: Path, repository: MetadataRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = a_file(tmp_path), a_file(tmp_path, "1.1.0", b"newer")
    repository.publish([first], SIGNERS, now=NOW)
    calls = 0
    while True:
        folder = tmp_path / f"killed-{calls}"
        shutil.copytree(tmp_path / "metadata", folder / "metadata")
        killed = MetadataRepository(str(folder / "metadata"))
        with monkeypatch.context() as patched:
            done = kill_before(calls, patched)
            try:
                killed.publish([second], SIGNERS, now=NOW)
            except Killed:
                pass
            else:
                break
        check_whole(folder)
        # The last rename replaces the timestamp at once.
        has_second = done.count("replace") == 3
        assert len(killed.published().programs) == 1 + has_second
        killed.publish([second], SIGNERS, now=NOW)
        check_whole(folder)
        assert len(killed.published().programs) == 2
        calls += 1
    # Each of the three files is on the disk before it gets its name, and then the name is.
    assert "".join(name[0] for name in done) == "owfrof" * 3


def test_files_left_by_a_killed_publishing_are_not_changed(
    tmp_path: Path, repository: MetadataRepository
) -> None:
    repository.publish([a_file(tmp_path)], SIGNERS, now=NOW)
    left = tmp_path / "metadata" / "2.targets.json"
    left.write_bytes(b"another process may have published it")
    written = repository.publish([a_file(tmp_path, "1.1.0", b"newer")], SIGNERS, now=NOW)
    assert written == ("3.targets.json", "2.snapshot.json", "timestamp.json")
    assert left.read_bytes() == b"another process may have published it"
