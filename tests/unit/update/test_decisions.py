"""Versions, regions, and the choice of a release, as pure functions of data."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from awstoe.errors import UsageError
from awstoe.update import layout, regions
from awstoe.update.decide import TargetMachine, decide
from awstoe.update.errors import NotAvailable
from awstoe.update.releases import Release, Version, glibc_version

HERE = TargetMachine("linux", "amd64", (2, 26))


def release(
    version: str,
    target: str = "linux/amd64",
    *,
    glibc: tuple[int, int] | None = (2, 17),
    withdrawn: str = "",
) -> Release:
    platform, architecture = target.split("/")
    path = layout.program_path(version, platform, architecture)
    return Release(
        *(Version(version), platform, architecture, path, 10, "00", path + ".sig", 5, "11"),
        *(glibc, withdrawn, ""),
    )


def chosen(installed: str, offered: Sequence[Release], **options: object) -> tuple[str, str | None]:
    wanted = options.pop("wanted", None)
    decision = decide(
        Version(installed),
        HERE,
        offered,
        wanted=Version(str(wanted)) if wanted else None,
        downgrade=bool(options.pop("downgrade", False)),
    )
    return decision.kind.value, str(decision.release.version) if decision.release else None


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (["1.0.0"], ("current", "1.0.0")),
        (["0.9.0"], ("current", None)),
        (["0.9.0", "1.0.1", "1.0.0"], ("update", "1.0.1")),
        (["1.9.0", "1.10.0"], ("update", "1.10.0")),
        (["1.1.0-rc.1"], ("current", None)),
        (["1.1.0-rc.1", "1.0.1"], ("update", "1.0.1")),
    ],
)
def test_newest_release_is_chosen(offered: list[str], expected: tuple[str, str | None]) -> None:
    assert chosen("1.0.0", [release(each) for each in offered]) == expected


def test_prerelease_follows_prerelease() -> None:
    offered = [release("1.1.0-rc.2"), release("1.1.0-rc.10")]
    assert chosen("1.1.0-rc.1", offered) == ("update", "1.1.0-rc.10")


def test_releases_for_other_platforms_are_ignored() -> None:
    offered = [release("1.0.0"), release("2.0.0", "linux/arm64"), release("3.0.0", "windows/amd64")]
    assert chosen("1.0.0", offered) == ("current", "1.0.0")
    with pytest.raises(NotAvailable, match="no release for linux/amd64"):
        chosen("1.0.0", offered[1:])


def test_withdrawn_release_is_skipped() -> None:
    offered = [release("1.1.0"), release("1.2.0", withdrawn="broken")]
    assert chosen("1.0.0", offered) == ("update", "1.1.0")
    assert chosen("1.2.0", offered) == ("current", "1.2.0")


def test_c_library_of_this_machine_must_be_new_enough() -> None:
    offered = [release("1.1.0"), release("1.2.0", glibc=(2, 28))]
    assert chosen("1.0.0", offered) == ("update", "1.1.0")
    reason = r"version 1\.2\.0 needs glibc 2\.28 or later; this machine has 2\.26"
    with pytest.raises(NotAvailable, match=reason):
        chosen("1.0.0", offered, wanted="1.2.0")
    unknown = HERE._replace(glibc=None)
    assert decide(Version("1.0.0"), unknown, offered).release == offered[1]


def test_a_named_version_is_chosen() -> None:
    offered = [release("0.9.0"), release("1.0.0"), release("1.1.0"), release("1.2.0-rc.1")]
    assert chosen("1.0.0", offered, wanted="1.1.0") == ("update", "1.1.0")
    assert chosen("1.0.0", offered, wanted="1.2.0-rc.1") == ("update", "1.2.0-rc.1")
    assert chosen("1.0.0", offered, wanted="1.0.0") == ("current", "1.0.0")
    with pytest.raises(NotAvailable, match="is lower than the installed"):
        chosen("1.0.0", offered, wanted="0.9.0")
    assert chosen("1.0.0", offered, wanted="0.9.0", downgrade=True) == ("downgrade", "0.9.0")
    with pytest.raises(NotAvailable, match="there is no version") as caught:
        chosen("1.0.0", offered, wanted="7.0.0")
    assert caught.value.hint == "there are: 0.9.0, 1.0.0, 1.1.0, 1.2.0-rc.1"


def test_no_release_is_available() -> None:
    with pytest.raises(NotAvailable, match="no release for linux/amd64"):
        chosen("1.0.0", [])


def test_versions_are_ordered_as_by_semantic_versioning() -> None:
    """The example of Semantic Versioning 2.0.0, item 11."""
    texts = (
        *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"),
        *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"),
    )
    versions = [Version(each) for each in texts]
    versions.reverse()
    assert [str(each) for each in sorted(versions)] == list(texts)
    assert Version("1.0.0+build.5") == Version("1.0.0")


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3\n", "१.२.३", "1" * 99]
)
def test_a_malformed_version_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a version such as"):
        Version(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("glibc 2.36", (2, 36)), ("2.17", (2, 17)), ("musl", None), ("", None)]
)
def test_the_version_of_the_c_library_is_read(text: str, expected: tuple[int, int] | None) -> None:
    assert glibc_version(text) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("1.2.0/linux/amd64/awstoe", ("1.2.0", "linux", "amd64")),
        ("1.2.0/windows/amd64/awstoe.exe", ("1.2.0", "windows", "amd64")),
        ("1.2.0/windows/amd64/awstoe", None),
        ("1.2.0/linux/amd64/awstoe.sig", None),
        ("../1.2.0/linux/amd64/awstoe", None),
        ("latest/assets/awstoe.gpg", None),
    ],
)
def test_the_path_of_a_program_is_parsed_and_formatted(
    path: str, expected: tuple[str, str, str] | None
) -> None:
    assert layout.parse_program_path(path) == expected
    if expected:
        assert layout.program_path(*expected) == path


def test_regions_are_those_of_the_user_guide() -> None:
    known = regions.read()
    assert len(known) == 20
    assert {each.suffix for each in known.values()} == {"amazonaws.com"}


def test_a_region_of_an_unknown_partition_is_named(tmp_path: Path) -> None:
    path = tmp_path / "regions.toml"
    path.write_text('[partitions]\naws = "x"\n[regions]\na-1 = "aws"\ncn-north-1 = "aws-cn"\n')
    with pytest.raises(ValueError, match="region cn-north-1: unknown partition 'aws-cn': add it"):
        regions.read(str(path))


def test_named_region_comes_first() -> None:
    order = regions.order(regions.read(), "eu-south-1")
    assert order[0].name == "eu-south-1"
    assert len({each.name for each in order}) == 20
    with pytest.raises(UsageError, match="not published in the region 'mars-1'"):
        regions.order(regions.read(), "mars-1")


def test_failover_stays_in_the_partition() -> None:
    some = {
        name: regions.Region(name, partition, "x")
        for name, partition in (("a", "one"), ("b", "two"), ("c", "one"))
    }
    assert [each.name for each in regions.order(some, "c")] == ["c", "a"]


def test_a_template_becomes_the_urls_of_the_regions() -> None:
    order = regions.order(regions.read(), "eu-west-1")
    template = "https://awstoe-{region}.s3.{region}.{suffix}"
    assert regions.mirrors(template, order)[0] == regions.Mirror(
        "eu-west-1", "https://awstoe-eu-west-1.s3.eu-west-1.amazonaws.com/"
    )
    assert len(regions.mirrors(template, order)) == 20
    assert regions.mirrors("https://u:p@mirror.example:8443/awstoe", order) == (
        regions.Mirror("mirror.example:8443", "https://u:p@mirror.example:8443/awstoe/"),
    )


@pytest.mark.parametrize(
    "template",
    [
        *("", "awstoe", "ftp://x/", "https://", "https://{bucket}/", "http:///x"),
        *("http://[bad/", "https://host:port/", "https://host:99999/", "https://ho st/"),
        *("https://host/?token=1", "https://host/#part", "https://host/}"),
    ],
)
def test_a_malformed_template_is_rejected(template: str) -> None:
    with pytest.raises(UsageError, match="is not a URL of releases"):
        regions.mirrors(template, regions.order(regions.read(), None))


@pytest.mark.parametrize(
    "template",
    [
        "https://user:secret@host/{oops}",
        "https://user:sec/secret@host/",
        "https://user:12/secret@host/",
        "https://user:sec?secret@host/",
        "https://user:sec#secret@host/",
        "https://user:sec secret@host/{region}",
        "https://user:s@secret@host/{oops}",
        "user:secret@host/x",
        "https://secret:@[host/",
        "https://host/{oops}?token=secret",
    ],
)
def test_password_in_a_bad_template_is_not_repeated(template: str) -> None:
    with pytest.raises(UsageError, match=r"host|user") as caught:
        regions.mirrors(template, regions.order(regions.read(), None))
    assert "sec" not in caught.value.message.replace("...@", "")


def test_region_without_effect_is_rejected() -> None:
    regions.check_choice("https://x/", None)
    regions.check_choice("https://x.{suffix}/", "eu-west-1")
    with pytest.raises(UsageError, match=r"all regions use https://x/") as caught:
        regions.check_choice("https://u:secret@x/", "eu-west-1")
    assert "secret" not in caught.value.message
