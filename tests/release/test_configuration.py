"""release.toml and the list of regions: their values, overrides, and reports of mistakes."""

import re
from pathlib import Path

import pytest

from awstoe.update import regions as client_regions
from awstoe_release import configuration
from awstoe_release.configuration import FOLDER, Configuration
from awstoe_release.failure import ReleaseFailure
from awstoe_release.release import REPOSITORY
from fakes.release_world import LIST_OF_REGIONS

SEED_REGIONS = [
    *("us-east-2", "us-east-1", "us-west-1", "us-west-2", "af-south-1", "ap-east-1", "ap-south-1"),
    *("ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ca-central-1"),
    *("eu-central-1", "eu-west-1", "eu-west-2", "eu-south-1", "eu-west-3", "eu-north-1"),
    *("me-south-1", "sa-east-1"),
]


def load(**environment: str) -> Configuration:
    return configuration.load(environment=environment)


def test_the_regions_are_those_of_the_guide_with_its_addresses() -> None:
    config = load()
    assert [each.name for each in config.regions] == SEED_REGIONS
    for region in config.regions:
        expected = (
            f"https://awstoe-{region.name}.s3.{region.name}.amazonaws.com/latest/linux/386/awstoe"
        )
        assert region.address("latest/linux/386/awstoe") == expected
        assert region.bucket == f"awstoe-{region.name}"


def test_releases_go_to_the_regions_where_programs_look_for_updates() -> None:
    ours = [(each.name, each.partition, each.suffix) for each in load().regions]
    assert ours == [tuple(each) for each in client_regions.read().values()]


def test_every_region_is_in_one_wave_and_the_first_is_small() -> None:
    config = load()
    waves = [config.wave_regions(wave) for wave in config.waves]
    assert sorted(each.name for wave in waves for each in wave) == sorted(SEED_REGIONS)
    assert len(waves[0]) == 1


def test_the_environment_overrides_the_file_and_the_command_line_the_environment() -> None:
    assert load().publish.concurrency == 16
    assert load(AWSTOE_RELEASE_PUBLISH_CONCURRENCY="4").publish.concurrency == 4
    both = configuration.load(
        environment={"AWSTOE_RELEASE_PUBLISH_CONCURRENCY": "4"},
        overrides=["publish.concurrency=5", "product.targets=linux/386, linux/arm64"],
    )
    assert both.publish.concurrency == 5
    assert both.product.targets == ("linux/386", "linux/arm64")


def test_the_comments_in_the_files_describe_how_to_add_partitions(tmp_path: Path) -> None:
    settings = (Path(FOLDER) / "release.toml").read_text()
    accounts = re.search(r"# \[partition\.aws-cn\]\n(?:#.*\n)+", settings)
    assert accounts
    settings = settings.replace(accounts[0], re.sub(r"(?m)^# ?", "", accounts[0]))
    (tmp_path / "release.toml").write_text(settings.replace(LIST_OF_REGIONS, "regions.toml"))
    regions = (Path(FOLDER) / LIST_OF_REGIONS).read_text()
    for table in ("partitions", "regions"):
        lines = re.search(rf"#   \[{table}\]\n((?:#   .+\n)+)", regions)
        assert lines
        added = lines[1].replace("#   ", "")
        regions = regions.replace(f"\n[{table}]\n", f"\n[{table}]\n{added}", 1)
    (tmp_path / "regions.toml").write_text(regions)
    config = configuration.load(folder=str(tmp_path), environment={})
    assert len(config.regions) == len(SEED_REGIONS) + 2
    beijing = config.region("cn-north-1")
    address = "https://awstoe-cn-north-1.s3.cn-north-1.amazonaws.com.cn/latest/x"
    assert beijing.address("latest/x") == address
    assert (beijing.account, beijing.profile) == ("210987654321", "china")
    govcloud = config.region("us-gov-west-1")
    assert govcloud.address("k") == "https://awstoe-us-gov-west-1.s3.us-gov-west-1.amazonaws.com/k"
    assert config.client_url == "https://awstoe-{region}.s3.{region}.{suffix}/"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("publish.concurency=4", "did you mean 'publish.concurrency'?"),
        ("publish.concurrency=many", "expected int, got 'many'"),
        ("publish.concurrency=0", "expected 1 or more, got 0"),
        ("publish.account=12345", "expected 12 digits"),
        ("publish.bucket={product}", "several regions have the same bucket"),
        ("publish.bucket=Awstoe_{region}", "is not a valid bucket name"),
        ("publish.bucket={prodct}-{region}", "unknown field 'prodct'"),
        ("publish.bucket={product-{region}", "publish.bucket: "),
        ("publish.url=https://{bucket}/x", "expected /{key} at its end"),
        ("publish", "expected section.key=value"),
    ],
)
def test_a_wrong_value_is_reported_with_its_name(override: str, message: str) -> None:
    with pytest.raises(ReleaseFailure) as caught:
        configuration.load(environment={}, overrides=[override])
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('pointers = "latest"', 'pointer = "latest"', "unknown key 'pointer'; did you mean"),
        ("updates = true", "updates = false", "exactly one must have updates = true"),
        ('regions = ["eu-north-1"]', 'regions = ["eu-nort-1"]', "did you mean 'eu-north-1'?"),
        ('regions = ["*"]', "regions = []", "no wave has "),
        ('regions = ["*"]', 'regions = ["*", "eu-north-1"]', "eu-north-1 is in two waves"),
        ("part_mib = 8", 'part_mib = "8"', "publish.part_mib: expected int, got '8'"),
        ("[expiry]", "[expiries]", "unknown key 'expiries'; did you mean 'expiry'?"),
        ("[product]", "[product", "is not TOML"),
        ("[expiry]", '[partition.aws-c]\nprofile = "p"\n[expiry]', "partition.aws-c: "),
        ("[expiry]", '[partition]\naccount = "1"\n[expiry]', "partition.account: expected a table"),
        ("[expiry]", '[[partition]]\naccount = "1"\n[expiry]', "partition: expected tables ["),
        ("[channels.beta]", "[[channels.beta]]", "channels.beta: expected a table, got list"),
        ("update/regions.toml", "update/region.toml", "region.toml cannot be read: No such file"),
        ("src/awstoe/update/regions.toml", "CHANGELOG.md", "CHANGELOG.md: "),
        ("src/awstoe/update/regions.toml", "pyproject.toml", "not a list of regions: 'regions'"),
    ],
)
def test_a_mistake_in_the_file_is_reported(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = (Path(FOLDER) / "release.toml").read_text()
    assert before in text
    text = text.replace(before, after).replace('"../', f'"{REPOSITORY}/')
    (tmp_path / "release.toml").write_text(text)
    with pytest.raises(ReleaseFailure) as caught:
        configuration.load(folder=str(tmp_path), environment={})
    assert message in caught.value.message
    if caught.value.hint:
        assert str(tmp_path / "release.toml") in caught.value.hint


def test_a_section_that_is_not_a_table_is_reported_although_a_value_is_overridden(
    tmp_path: Path,
) -> None:
    (tmp_path / "release.toml").write_text("signing = 1\nwave = 1\n")
    with pytest.raises(ReleaseFailure) as caught:
        configuration.load(folder=str(tmp_path), environment={}, overrides=["signing.keys=x"])
    assert "signing: expected a table, got int" in caught.value.message
    assert "wave: expected tables [[wave]], got int" in caught.value.message


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ReleaseFailure) as caught:
        configuration.load(
            environment={"AWSTOE_RELEASE_EXPIRY_TARGETS_DAYS": "x"},
            overrides=["publish.attempts=y", "nothing.here=1"],
        )
    assert caught.value.message.count("\n") >= 3
