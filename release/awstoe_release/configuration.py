"""What is released and where to: release.toml and regions.toml, read into one frozen value.

Both files are data that a fork changes. The environment overrides a value
(``AWSTOE_RELEASE_PUBLISH_CONCURRENCY=4``), the command line overrides that
(``--set publish.concurrency=4``). Unknown keys are errors, and all problems are told at once.
"""

import difflib
import os
import re
import string
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from awstoe_release.failure import ReleaseFailure

FOLDER: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder ``release/``, where both files lie."""
ENVIRONMENT: Final = "AWSTOE_RELEASE_"
_BUCKET_FIELDS: Final = {"product", "region", "suffix"}
_URL_FIELDS: Final = _BUCKET_FIELDS | {"bucket", "key"}
_EVERY: Final = "*"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, without dots, which
# the certificates of the virtual-hosted addresses do not cover.
_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Product(NamedTuple):
    """What is released."""

    name: str
    title: str
    targets: tuple[str, ...]
    source: str


class Publish(NamedTuple):
    """Where it goes and how."""

    bucket: str
    url: str
    endpoint: str
    account: str
    multipart_mib: int
    part_mib: int
    concurrency: int
    bandwidth_mib_per_second: float
    attempts: int
    connect_seconds: float
    read_seconds: float
    immutable_cache: str
    pointer_cache: str


class Channel(NamedTuple):
    """A folder of copies of versioned files."""

    pointers: str
    """The folder, "latest"."""
    updates: bool
    """Whether installed programs update themselves to its versions."""


class Expiry(NamedTuple):
    """How long things are good for, in days."""

    targets_days: int
    snapshot_days: int
    timestamp_days: int
    key_warn_days: int
    key_refuse_days: int


class Signing(NamedTuple):
    """What signs."""

    keys: str
    """The folder of keys."""
    timestamp_server: str


class Wave(NamedTuple):
    """Regions that are promoted together."""

    name: str
    regions: tuple[str, ...]
    wait_seconds: int
    """The pause after it, before the next wave."""


class Region(NamedTuple):
    """One place that files are published to, all templates filled in."""

    name: str
    place: str
    partition: str
    suffix: str
    account: str
    profile: str
    bucket: str
    url: str
    """The address of an object, with ``{key}`` still in it."""
    endpoint: str

    def address(self, key: str) -> str:
        """What a user downloads ``key`` from."""
        return self.url.replace("{key}", key)

    @property
    def folder_address(self) -> str:
        """The address that all keys follow."""
        return self.address("")


class Configuration(NamedTuple):
    """Everything that release.toml and regions.toml say, overrides applied."""

    product: Product
    publish: Publish
    channels: Mapping[str, Channel]
    expiry: Expiry
    signing: Signing
    waves: tuple[Wave, ...]
    regions: tuple[Region, ...]

    def region(self, name: str) -> Region:
        """The region called ``name``.

        Raises:
            ReleaseFailure: There is none.
        """
        for region in self.regions:
            if region.name == name:
                return region
        raise ReleaseFailure(
            f"unknown region {name!r}", hint=_meant(name, [each.name for each in self.regions])
        )

    @property
    def client_url(self) -> str:
        """The address of a region as installed programs take it: region and suffix to fill in."""
        keep = {"region": "{region}", "suffix": "{suffix}", "product": self.product.name}
        bucket = self.publish.bucket.format(**keep)
        return self.publish.url.format(**keep, bucket=bucket, key="")

    def wave_regions(self, wave: Wave) -> tuple[Region, ...]:
        """The regions of a wave, ``*`` resolved."""
        named = {name for each in self.waves for name in each.regions}
        if _EVERY in wave.regions:
            return tuple(region for region in self.regions if region.name not in named)
        return tuple(region for region in self.regions if region.name in wave.regions)

    def channel(self, name: str) -> Channel:
        """The channel called ``name``.

        Raises:
            ReleaseFailure: There is none.
        """
        if name not in self.channels:
            raise ReleaseFailure(
                f"unknown channel {name!r}", hint=f"one of {', '.join(self.channels)}"
            )
        return self.channels[name]


def load(
    *,
    folder: str = FOLDER,
    environment: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
) -> Configuration:
    """Read both files of ``folder``.

    Args:
        folder: Where release.toml and regions.toml lie.
        environment: Variables, those of this process when None.
        overrides: ``section.key=value`` texts of the command line.

    Raises:
        ReleaseFailure: Something is wrong; all problems are in the message.
    """
    problems: list[str] = []
    data = _read(os.path.join(folder, "release.toml"))
    places = _read(os.path.join(folder, "regions.toml"))
    _override(data, os.environ if environment is None else environment, overrides, problems)
    _unknown(data, {*_SECTIONS, "channels", "wave"}, "release.toml", problems)
    sections = {
        name: _section(kind, data.get(name, {}), name, problems) for name, kind in _SECTIONS.items()
    }
    channels = {
        name: _section(Channel, table, f"channels.{name}", problems)
        for name, table in data.get("channels", {}).items()
    }
    waves = tuple(
        _section(Wave, table, f"wave[{place}]", problems)
        for place, table in enumerate(data.get("wave", []))
    )
    if problems:
        raise _refusal(problems)
    regions = _regions(places, sections["product"], sections["publish"], problems)
    _check(sections, channels, waves, regions, problems)
    if problems:
        raise _refusal(problems)
    return Configuration(
        sections["product"],
        sections["publish"],
        channels,
        sections["expiry"],
        sections["signing"],
        waves,
        regions,
    )


_SECTIONS: Final[dict[str, Any]] = {
    "product": Product,
    "publish": Publish,
    "expiry": Expiry,
    "signing": Signing,
}


def _refusal(problems: Sequence[str]) -> ReleaseFailure:
    return ReleaseFailure(
        "the configuration is wrong:\n" + "\n".join(f"  {each}" for each in problems),
        hint=f"mend {os.path.join(FOLDER, 'release.toml')} or what overrides it",
    )


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReleaseFailure(f"{path} is no TOML: {error}") from error


def _override(
    data: dict[str, Any],
    environment: Mapping[str, str],
    overrides: Sequence[str],
    problems: list[str],
) -> None:
    """Put the values of environment and command line in the place of the file's."""
    for section, kind in _SECTIONS.items():
        for key in kind._fields:
            name = f"{ENVIRONMENT}{section}_{key}".upper()
            if name in environment:
                data.setdefault(section, {})[key] = _convert(
                    environment[name], get_type_hints(kind)[key], name, problems
                )
    for text in overrides:
        path, equals, value = text.partition("=")
        section, dot, key = path.partition(".")
        if not equals or not dot:
            problems.append(f"--set {text}: expected section.key=value")
        elif section not in _SECTIONS or key not in _SECTIONS[section]._fields:
            known = [f"{name}.{each}" for name, kind in _SECTIONS.items() for each in kind._fields]
            problems.append(f"--set {text}: unknown; {_meant(path, known)}")
        else:
            wanted = get_type_hints(_SECTIONS[section])[key]
            data.setdefault(section, {})[key] = _convert(value, wanted, f"--set {path}", problems)


def _convert(text: str, kind: Any, name: str, problems: list[str]) -> object:  # noqa: ANN401
    """A text from outside as the type that the file would have."""
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return kind(text)
    except ValueError:
        problems.append(f"{name}: expected {kind.__name__}, got {text!r}")
        return text


def _section(kind: Any, table: object, name: str, problems: list[str]) -> Any:  # noqa: ANN401
    """A table of the file as ``kind``, types checked; None after a problem."""
    if not isinstance(table, dict):
        problems.append(f"{name}: expected a table, got {type(table).__name__}")
        return None
    _unknown(table, set(kind._fields), name, problems)
    hints = get_type_hints(kind)
    values: dict[str, object] = {}
    for key in kind._fields:
        if key not in table:
            problems.append(f"{name}.{key} is missing")
            continue
        value, wanted = table[key], hints[key]
        if get_origin(wanted) is tuple and isinstance(value, list):
            value, inner = tuple(value), get_args(wanted)[0]
            right = all(isinstance(each, inner) for each in value)
        elif wanted is float and type(value) is int:
            value, right = float(value), True
        else:
            right = type(value) is wanted
        if not right:
            shown = "list of texts" if get_origin(wanted) is tuple else wanted.__name__
            problems.append(f"{name}.{key}: expected {shown}, got {table[key]!r}")
        values[key] = value
    return kind(**values) if len(values) == len(kind._fields) else None


def _unknown(table: Mapping[str, Any], known: set[str], name: str, problems: list[str]) -> None:
    problems += [
        f"{name}: unknown key {key!r}; {_meant(key, sorted(known))}"
        for key in table
        if key not in known
    ]


def _meant(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}"


class _Partition(NamedTuple):
    suffix: str
    account: str
    profile: str


class _Place(NamedTuple):
    name: str
    place: str
    partition: str


def _regions(
    places: Mapping[str, Any], product: Product, publish: Publish, problems: list[str]
) -> tuple[Region, ...]:
    """The regions of regions.toml with bucket, address and endpoint."""
    _unknown(places, {"partition", "region"}, "regions.toml", problems)
    partitions = {
        name: _section(
            _Partition, {"account": "", "profile": "", **table}, f"partition.{name}", problems
        )
        for name, table in places.get("partition", {}).items()
    }
    found: list[Region] = []
    for number, table in enumerate(places.get("region", [])):
        place = _section(_Place, {"partition": "aws", **table}, f"region[{number}]", problems)
        if place is None:
            continue
        partition = partitions.get(place.partition)
        if partition is None:
            problems.append(f"region {place.name}: unknown partition {place.partition!r}")
            continue
        values = {"product": product.name, "region": place.name, "suffix": partition.suffix}
        bucket = _fill(publish.bucket, _BUCKET_FIELDS, values, "publish.bucket", problems)
        values |= {"bucket": bucket, "key": "{key}"}
        found.append(
            Region(
                name=place.name,
                place=place.place,
                partition=place.partition,
                suffix=partition.suffix,
                account=partition.account or publish.account,
                profile=partition.profile,
                bucket=bucket,
                url=_fill(publish.url, _URL_FIELDS, values, "publish.url", problems),
                endpoint=publish.endpoint,
            )
        )
    return tuple(found)


def _fill(
    template: str,
    fields: set[str],
    values: Mapping[str, str],
    name: str,
    problems: list[str],
) -> str:
    """A template with its fields filled in."""
    try:
        asked = {field for _, field, _, _ in string.Formatter().parse(template) if field}
    except ValueError as error:
        problems.append(f"{name}: {error}")
        return template
    if not asked <= fields:
        problem = f"{name}: unknown field {min(asked - fields)!r}"
        if problem not in problems:
            problems.append(problem)
        return template
    return template.format(**{field: values.get(field, "") for field in fields})


def _check(
    sections: Mapping[str, Any],
    channels: Mapping[str, Channel],
    waves: Sequence[Wave],
    regions: Sequence[Region],
    problems: list[str],
) -> None:
    """What types cannot say."""
    publish: Publish = sections["publish"]
    if not publish.url.endswith("/{key}"):
        problems.append(f"publish.url: expected /{{key}} at its end, got {publish.url}")
    for key, least in (("part_mib", 5), ("multipart_mib", 5), ("concurrency", 1), ("attempts", 1)):
        if getattr(publish, key) < least:
            problems.append(f"publish.{key}: at least {least}, got {getattr(publish, key)}")
    problems += [
        f"account {account!r}: expected 12 digits"
        for account in sorted({each.account for each in regions})
        if account and not re.fullmatch(r"\d{12}", account)
    ]
    if not regions:
        problems.append("regions.toml: no region")
    if sum(each.updates for each in channels.values()) != 1:
        problems.append("channels: exactly one must have updates = true")
    names = [each.name for each in regions]
    problems += [f"region {name} is there twice" for name in {*names} if names.count(name) > 1]
    problems += [
        f"region {each.name}: {each.bucket!r} is no name for a bucket"
        for each in regions
        if not _BUCKET_NAME.fullmatch(each.bucket)
    ]
    buckets = [each.bucket for each in regions]
    if len({*buckets}) < len(buckets):
        problems.append("publish.bucket: several regions get the same bucket")
    placed = [name for wave in waves for name in wave.regions]
    problems += [
        f"wave {wave.name}: unknown region {name!r}; {_meant(name, names)}"
        for wave in waves
        for name in wave.regions
        if name not in {*names, _EVERY}
    ]
    problems += [f"region {name} is in two waves" for name in {*placed} if placed.count(name) > 1]
    missing = {*names} - {*placed}
    if missing and _EVERY not in placed:
        problems.append(f"no wave has {', '.join(sorted(missing))}; '*' stands for the rest")
