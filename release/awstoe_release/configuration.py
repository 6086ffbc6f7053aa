"""Reads release.toml and the list of regions: what to release, and where to.

The environment overrides a value (``AWSTOE_RELEASE_PUBLISH_CONCURRENCY=4``), and the command line
overrides the environment (``--set publish.concurrency=4``). Unknown keys are errors, and all
problems are reported at once.
"""

import difflib
import os
import re
import string
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from awstoe.update import regions as client_regions
from awstoe_release.failure import ReleaseFailure

FOLDER: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder ``release/``, which has release.toml."""
ENVIRONMENT: Final = "AWSTOE_RELEASE_"
_BUCKET_FIELDS: Final = {"product", "region", "suffix"}
_URL_FIELDS: Final = _BUCKET_FIELDS | {"bucket", "key"}
_EVERY: Final = "*"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, without dots: the
# certificates of virtual-hosted addresses do not cover them.
_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Product(NamedTuple):
    """What to release."""

    name: str
    title: str
    targets: tuple[str, ...]
    source: str


class Publish(NamedTuple):
    """Where to publish, and how."""

    regions: str
    """The path of the list of regions, relative to release.toml."""
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
    """The folder's name, for example ``latest``."""
    updates: bool
    """Whether installed programs update themselves to its versions."""


class Expiry(NamedTuple):
    """How long trust metadata and keys are valid, in days."""

    targets_days: int
    snapshot_days: int
    timestamp_days: int
    key_warn_days: int
    key_refuse_days: int


class Signing(NamedTuple):
    """The keys and the timestamp server to sign with."""

    keys: str
    """The folder of keys."""
    timestamp_server: str


class Wave(NamedTuple):
    """Regions that are promoted together."""

    name: str
    regions: tuple[str, ...]
    wait_seconds: int
    """The pause before the next wave."""


class Region(NamedTuple):
    """One region to publish to, with all templates filled in."""

    name: str
    partition: str
    suffix: str
    account: str
    profile: str
    bucket: str
    url: str
    """The address of an object, with the field ``{key}``."""
    endpoint: str

    def address(self, key: str) -> str:
        """Return the address that users download ``key`` from."""
        return self.url.replace("{key}", key)

    @property
    def folder_address(self) -> str:
        """The address below which all keys are."""
        return self.address("")


class Configuration(NamedTuple):
    """The values of release.toml and the list of regions, with overrides applied."""

    product: Product
    publish: Publish
    channels: Mapping[str, Channel]
    expiry: Expiry
    signing: Signing
    waves: tuple[Wave, ...]
    regions: tuple[Region, ...]

    def region(self, name: str) -> Region:
        """Return the region with a name.

        Raises:
            ReleaseFailure: There is no such region.
        """
        for region in self.regions:
            if region.name == name:
                return region
        raise ReleaseFailure(
            f"unknown region {name!r}", hint=_suggestion(name, [each.name for each in self.regions])
        )

    @property
    def client_url(self) -> str:
        """The address for installed programs, which fill in ``{region}`` and ``{suffix}``."""
        keep = {"region": "{region}", "suffix": "{suffix}", "product": self.product.name}
        bucket = self.publish.bucket.format(**keep)
        return self.publish.url.format(**keep, bucket=bucket, key="")

    def wave_regions(self, wave: Wave) -> tuple[Region, ...]:
        """Return the regions of a wave, with ``*`` resolved."""
        named = {name for each in self.waves for name in each.regions}
        if _EVERY in wave.regions:
            return tuple(region for region in self.regions if region.name not in named)
        return tuple(region for region in self.regions if region.name in wave.regions)

    def channel(self, name: str) -> Channel:
        """Return the channel with a name.

        Raises:
            ReleaseFailure: There is no such channel.
        """
        if name not in self.channels:
            raise ReleaseFailure(
                f"unknown channel {name!r}", hint=f"expected one of {', '.join(self.channels)}"
            )
        return self.channels[name]


def load(
    *,
    folder: str = FOLDER,
    environment: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
) -> Configuration:
    """Read release.toml and the list of regions that it names.

    Args:
        folder: The folder of release.toml.
        environment: The environment variables; this process's if None.
        overrides: ``section.key=value`` from the command line.

    Raises:
        ReleaseFailure: A file or value is wrong. The message has all problems.
    """
    problems: list[str] = []
    file = os.path.join(folder, "release.toml")
    data = _read(file)
    _override(data, os.environ if environment is None else environment, overrides, problems)
    _unknown(data, {*_SECTIONS, "channels", "partition", "wave"}, "release.toml", problems)
    sections = {
        name: _section(kind, data.get(name, {}), name, problems) for name, kind in _SECTIONS.items()
    }
    channels = {
        name: _section(Channel, table, f"channels.{name}", problems)
        for name, table in _tables(data, "channels", problems).items()
    }
    waves = _waves(data, problems)
    partitions = {
        name: _section(_Partition, table, f"partition.{name}", problems)
        for name, table in _tables(data, "partition", problems).items()
    }
    if problems:
        raise _refusal(file, problems)
    listed = _read_regions(os.path.join(folder, sections["publish"].regions), file)
    regions = _regions(listed, partitions, sections["product"], sections["publish"], problems)
    _check(sections, channels, waves, regions, problems)
    if problems:
        raise _refusal(file, problems)
    return Configuration(
        sections["product"],
        sections["publish"],
        channels,
        sections["expiry"],
        sections["signing"],
        waves,
        regions,
    )


class _Partition(NamedTuple):
    """What release.toml adds to a partition of the list of regions."""

    account: str = ""
    profile: str = ""


_SECTIONS: Final[dict[str, Any]] = {
    "product": Product,
    "publish": Publish,
    "expiry": Expiry,
    "signing": Signing,
}


def _refusal(file: str, problems: Sequence[str]) -> ReleaseFailure:
    return ReleaseFailure(
        "the configuration is wrong:\n" + "\n".join(f"  {each}" for each in problems),
        hint=f"fix {file}, or the values that override it",
    )


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReleaseFailure(f"{path} is not TOML: {error}") from error


def _read_regions(path: str, file: str) -> Mapping[str, client_regions.Region]:
    try:
        return client_regions.read(path)
    except OSError as error:
        raise ReleaseFailure(
            f"{path} cannot be read: {error.strerror}", hint=f"check publish.regions in {file}"
        ) from error
    except ValueError as error:
        raise ReleaseFailure(f"{path}: {error}") from error


def _override(
    data: dict[str, Any],
    environment: Mapping[str, str],
    overrides: Sequence[str],
    problems: list[str],
) -> None:
    """Replace values of the file with those of the environment and the command line."""
    for section, kind in _SECTIONS.items():
        for key in kind._fields:
            name = f"{ENVIRONMENT}{section}_{key}".upper()
            if name in environment:
                value = _convert(environment[name], get_type_hints(kind)[key], name, problems)
                _set(data, section, key, value)
    for text in overrides:
        path, equals, value = text.partition("=")
        section, dot, key = path.partition(".")
        if not equals or not dot:
            problems.append(f"--set {text}: expected section.key=value")
        elif section not in _SECTIONS or key not in _SECTIONS[section]._fields:
            known = [f"{name}.{each}" for name, kind in _SECTIONS.items() for each in kind._fields]
            problems.append(f"--set {text}: unknown; {_suggestion(path, known)}")
        else:
            wanted = get_type_hints(_SECTIONS[section])[key]
            _set(data, section, key, _convert(value, wanted, f"--set {path}", problems))


def _set(data: dict[str, Any], section: str, key: str, value: object) -> None:
    table = data.setdefault(section, {})
    if isinstance(table, dict):  # otherwise _section reports it
        table[key] = value


def _convert(text: str, kind: Any, name: str, problems: list[str]) -> object:  # noqa: ANN401
    """Convert a text to the type of the value in the file."""
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return kind(text)
    except ValueError:
        problems.append(f"{name}: expected {kind.__name__}, got {text!r}")
        return text


def _tables(data: Mapping[str, Any], name: str, problems: list[str]) -> Mapping[str, object]:
    """Return the tables ``[name.x]`` of the file by x; none after a problem."""
    found = data.get(name, {})
    if isinstance(found, dict):
        return found
    problems.append(f"{name}: expected tables [{name}.NAME], got {type(found).__name__}")
    return {}


def _waves(data: Mapping[str, Any], problems: list[str]) -> tuple[Wave, ...]:
    found = data.get("wave", [])
    if not isinstance(found, list):
        problems.append(f"wave: expected tables [[wave]], got {type(found).__name__}")
        return ()
    return tuple(
        _section(Wave, table, f"wave[{number}]", problems) for number, table in enumerate(found)
    )


def _section(kind: Any, table: object, name: str, problems: list[str]) -> Any:  # noqa: ANN401
    """Return a table of the file as ``kind``, with its types checked; None after a problem."""
    if not isinstance(table, dict):
        problems.append(f"{name}: expected a table, got {type(table).__name__}")
        return None
    _unknown(table, set(kind._fields), name, problems)
    hints = get_type_hints(kind)
    values: dict[str, object] = {}
    for key in kind._fields:
        if key not in table:
            if key in kind._field_defaults:
                values[key] = kind._field_defaults[key]
                continue
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
            shown = "list of strings" if get_origin(wanted) is tuple else wanted.__name__
            problems.append(f"{name}.{key}: expected {shown}, got {table[key]!r}")
        values[key] = value
    return kind(**values) if len(values) == len(kind._fields) else None


def _unknown(table: Mapping[str, Any], known: set[str], name: str, problems: list[str]) -> None:
    problems += [
        f"{name}: unknown key {key!r}; {_suggestion(key, sorted(known))}"
        for key in table
        if key not in known
    ]


def _suggestion(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"


def _regions(
    listed: Mapping[str, client_regions.Region],
    partitions: Mapping[str, _Partition],
    product: Product,
    publish: Publish,
    problems: list[str],
) -> tuple[Region, ...]:
    """Return the regions of the list, each with bucket, address, account and endpoint."""
    known = sorted({each.partition for each in listed.values()})
    problems += [
        f"partition.{name}: no region in {publish.regions} belongs to this partition;"
        f" {_suggestion(name, known)}"
        for name in partitions
        if name not in known
    ]
    found: list[Region] = []
    for region in listed.values():
        partition = partitions.get(region.partition, _Partition())
        values = {"product": product.name, "region": region.name, "suffix": region.suffix}
        bucket = _fill(publish.bucket, _BUCKET_FIELDS, values, "publish.bucket", problems)
        values |= {"bucket": bucket, "key": "{key}"}
        found.append(
            Region(
                name=region.name,
                partition=region.partition,
                suffix=region.suffix,
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
    """Fill in the fields of a template."""
    try:
        used = {field for _, field, _, _ in string.Formatter().parse(template) if field}
    except ValueError as error:
        problems.append(f"{name}: {error}")
        return template
    if not used <= fields:
        problem = f"{name}: unknown field {min(used - fields)!r}"
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
    """Check rules that the types cannot express."""
    publish: Publish = sections["publish"]
    if not publish.url.endswith("/{key}"):
        problems.append(f"publish.url: expected /{{key}} at its end, got {publish.url}")
    for key, least in (("part_mib", 5), ("multipart_mib", 5), ("concurrency", 1), ("attempts", 1)):
        if getattr(publish, key) < least:
            problems.append(f"publish.{key}: expected {least} or more, got {getattr(publish, key)}")
    problems += [
        f"account {account!r}: expected 12 digits"
        for account in sorted({each.account for each in regions})
        if account and not re.fullmatch(r"\d{12}", account)
    ]
    if not regions:
        problems.append(f"{publish.regions} has no regions")
    if sum(each.updates for each in channels.values()) != 1:
        problems.append("channels: exactly one must have updates = true")
    names = [each.name for each in regions]
    problems += [
        f"region {each.name}: {each.bucket!r} is not a valid bucket name"
        for each in regions
        if not _BUCKET_NAME.fullmatch(each.bucket)
    ]
    buckets = [each.bucket for each in regions]
    if len({*buckets}) < len(buckets):
        problems.append("publish.bucket: several regions have the same bucket")
    placed = [name for wave in waves for name in wave.regions]
    problems += [
        f"wave {wave.name}: unknown region {name!r}; {_suggestion(name, names)}"
        for wave in waves
        for name in wave.regions
        if name not in {*names, _EVERY}
    ]
    problems += [f"region {name} is in two waves" for name in {*placed} if placed.count(name) > 1]
    missing = {*names} - {*placed}
    if missing and _EVERY not in placed:
        problems.append(f"no wave has {', '.join(sorted(missing))}; use '*' for the rest")
