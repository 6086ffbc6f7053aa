"""The regions that releases are published to, from ``regions.toml`` next to this file."""

import os
import re
import tomllib
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from awstoe.errors import UsageError
from awstoe.host.network import urls

_FILE: Final = os.path.join(os.path.dirname(__file__), "regions.toml")
_STRANGE: Final = re.compile(r"[\s{}?#]")
"""Characters after which no path can be added, or that are left of an unknown placeholder."""


class Region(NamedTuple):
    """A region, and the suffix of its host names."""

    name: str
    partition: str
    suffix: str
    """The domain of the partition's host names."""


class Mirror(NamedTuple):
    """One server that releases are published to."""

    name: str
    """The region's name, or the host name if the URL has no region."""
    url: str
    """Ends with a slash."""


def read(path: str = _FILE) -> Mapping[str, Region]:
    """Return all regions by name, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not TOML, or not a list of regions.
    """
    with open(path, "rb") as file:
        data = tomllib.load(file)
    try:
        return {
            name: Region(name, partition, _suffix(data["partitions"], name, partition))
            for name, partition in data["regions"].items()
        }
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"not a list of regions: {error}") from error


def _suffix(partitions: Mapping[str, str], region: str, partition: str) -> str:
    if partition not in partitions:
        raise ValueError(
            f"region {region}: unknown partition {partition!r}: add it to [partitions], with the"
            " domain of its host names"
        )
    return partitions[partition]


def order(regions: Mapping[str, Region], wanted: str | None) -> Sequence[Region]:
    """Return the regions to try: the wanted one, then the others of its partition.

    Raises:
        UsageError: There is no region with that name.
    """
    name = next(iter(regions)) if wanted is None else wanted
    if name not in regions:
        raise UsageError(
            f"releases are not published in the region {name!r}",
            hint=f"choose one of {', '.join(regions)}; for your own mirror, use --url",
        )
    first = regions[name]
    others = (each for each in regions.values() if each.partition == first.partition)
    return (first, *(each for each in others if each != first))


def check_choice(template: str, wanted: str | None) -> None:
    """Reject a region that would have no effect.

    Raises:
        UsageError: The template has no placeholder for it.
    """
    if wanted is not None and "{region}" not in template and "{suffix}" not in template:
        raise UsageError(
            f"--region has no effect: all regions use {urls.redacted(template)}",
            hint="remove --region, or use a URL that contains {region}: --url TEMPLATE",
        )


def mirrors(template: str, regions: Sequence[Region]) -> Sequence[Mirror]:
    """Return the mirrors of ``regions``: one for each different URL.

    Raises:
        UsageError: The template is not a URL.
    """
    found: dict[str, Mirror] = {}
    for region in regions:
        url = template.replace("{region}", region.name).replace("{suffix}", region.suffix)
        url = url.rstrip("/") + "/"
        if not _is_url(url):
            raise UsageError(
                f"{urls.redacted(template)!r} is not a URL of releases",
                hint="expected https://HOST/PATH or https://NAME:PASSWORD@HOST/PATH; {region} and"
                " {suffix} are replaced with the region's name and the suffix of its host names;"
                " write special characters in name and password as %XX",
            )
        host = urllib.parse.urlsplit(url).netloc.rpartition("@")[2]
        name = region.name if "{region}" in template else host
        found.setdefault(url, Mirror(name, url))
    return tuple(found.values())


def _is_url(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return bool(
            parts.scheme in ("https", "http")
            and parts.hostname
            and parts.port != 0
            and "@" not in parts.path  # otherwise a / in the password has ended the host
            and not _STRANGE.search(url)
        )
    except ValueError:  # the brackets or the port
        return False
