"""The plan: every object of a release, in an order in which nothing refers to a missing object."""

import json
from pathlib import Path

import pytest

from awstoe_release import configuration, plan
from awstoe_release.__main__ import main
from awstoe_release.failure import ReleaseFailure
from awstoe_release.plan import Item, Phase

CONFIG = configuration.load(environment={})


def items(tree: str = "/nowhere", channel: str = "stable") -> tuple[Item, ...]:
    return plan.items(CONFIG, version="1.2.3", channel=CONFIG.channel(channel), tree=tree)


def test_the_file_names_of_the_guide_are_published() -> None:
    keys = {item.key for item in items()}
    programs = {
        "latest/linux/386/awstoe",
        "latest/linux/amd64/awstoe",
        "latest/linux/arm64/awstoe",
        "latest/windows/amd64/awstoe.exe",
    }
    assert programs | {f"{each}.sig" for each in programs} <= keys
    assert {"latest/assets/awstoe.gpg", "assets/awstoe.gpg"} <= keys
    assert {"latest/install.sh", "latest/install.ps1", "1.2.3/SHA256SUMS.sig"} <= keys
    assert len(keys) == len(items())


def test_every_pointer_is_a_copy_of_a_versioned_object_that_comes_before_it() -> None:
    seen: set[str] = set()
    for item in items():
        if item.phase is Phase.POINTERS:
            assert item.source in seen
            assert item.source.startswith("1.2.3/")
        seen.add(item.key)


def test_phases_follow_each_other_and_the_timestamp_is_last(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    for name in ("10.targets.json", "9.targets.json", "3.snapshot.json", "1.root.json", "x.json"):
        (tmp_path / "metadata" / name).write_text('{"signed": {"targets": {}}}')
    planned = items(str(tmp_path))
    order = list(Phase)
    assert [order.index(item.phase) for item in planned] == sorted(
        order.index(item.phase) for item in planned
    )
    assert [item.key for item in planned if item.phase is Phase.METADATA] == [
        *("metadata/1.root.json", "metadata/9.targets.json", "metadata/10.targets.json"),
        "metadata/3.snapshot.json",
    ]
    assert planned[-1].key == "metadata/timestamp.json"


def test_listed_files_have_a_copy_that_is_named_by_its_hash(tmp_path: Path) -> None:
    """Clients that follow the specification look there, because of ``consistent_snapshot``."""
    (tmp_path / "metadata").mkdir()
    listed = {
        "1.2.3/linux/amd64/awstoe": {"hashes": {"sha256": "a1"}},
        "1.2.3/linux/amd64/awstoe.sig": {"hashes": {"sha256": "b2"}},
        "1.2.2/linux/amd64/awstoe": {"hashes": {"sha256": "c3"}},
    }
    newest = tmp_path / "metadata/10.targets.json"
    newest.write_text(json.dumps({"signed": {"targets": listed}}))
    (tmp_path / "metadata/9.targets.json").write_text("{}")
    copies = {each.key: each.source for each in items(str(tmp_path)) if "." in each.source}
    assert {key: source for key, source in copies.items() if key.startswith("1.2.3/")} == {
        "1.2.3/linux/amd64/a1.awstoe": "1.2.3/linux/amd64/awstoe",
        "1.2.3/linux/amd64/b2.awstoe.sig": "1.2.3/linux/amd64/awstoe.sig",
    }
    newest.write_text("{}")
    with pytest.raises(ReleaseFailure, match=r"10\.targets\.json is not a list of targets"):
        items(str(tmp_path))


def test_immutable_objects_may_be_cached_and_pointers_may_not() -> None:
    for item in items():
        assert item.immutable is (item.phase in {Phase.VERSIONED, Phase.METADATA})
        assert ("immutable" in item.cache_control) is item.immutable
        assert item.immutable or item.cache_control == "no-cache"


def test_a_beta_changes_neither_latest_nor_the_metadata() -> None:
    pointers = [item.key for item in items(channel="beta") if not item.immutable]
    assert pointers
    assert all(key.startswith("beta/") for key in pointers)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("1.0/linux/amd64/awstoe", "application/octet-stream"),
        ("1.0/windows/amd64/awstoe.exe", "application/octet-stream"),
        ("1.0/linux/amd64/awstoe.sig", "application/pgp-signature"),
        ("assets/awstoe.gpg", "application/pgp-keys"),
        ("1.0/sbom.cdx.json", "application/vnd.cyclonedx+json"),
        ("1.0/provenance.intoto.json", "application/vnd.in-toto+json"),
        ("metadata/timestamp.json", "application/json"),
        ("1.0/SHA256SUMS", "text/plain; charset=utf-8"),
        ("1.0/install.sh", "text/x-shellscript; charset=utf-8"),
    ],
)
def test_the_content_type_depends_on_the_name(key: str, kind: str) -> None:
    assert plan.content_type(key) == kind


def test_the_command_shows_the_plan_as_a_table_and_as_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", "--version", "1.2.3", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["regions"]) == 20
    assert {each["key"] for each in data["objects"]} == {item.key for item in items()}
    assert data["settings"]["publish"]["part_mib"] == 8
    assert main(["plan", "--version", "1.2.3", "--set", "publish.part_mib=9"]) == 0
    text = capsys.readouterr().out
    for row in [*data["objects"], *data["regions"]]:
        assert row.get("key", row.get("bucket")) in text
    assert "publish.part_mib = 9" in text
    assert "44 objects in each of 20 regions" in text
