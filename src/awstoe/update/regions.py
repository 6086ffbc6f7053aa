"""The regions that releases are published to, from ``regions.toml`` beside this file."""

import os
import tomllib
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from awstoe.errors import UsageError

_FILE: Final = os.path.join(os.path.dirname(__file__), "regions.toml")


class Region(NamedTuple):
    """A region and what its host names end in."""

    name: str
    partition: str
    suffix: str


class Mirror(NamedTuple):
    """One place that a release is published at."""

    name: str
    """The region's name, or the host's where there is no region."""
    url: str
    """Ends with a slash."""


def read(path: str = _FILE) -> Mapping[str, Region]:
    """All regions by name, in the order of the file."""
    with open(path, "rb") as file:
        data = tomllib.load(file)
    return {
        name: Region(name, partition, data["partitions"][partition])
        for name, partition in data["regions"].items()
    }


def order(regions: Mapping[str, Region], wanted: str | None) -> Sequence[Region]:
    """The regions to ask, one after the other: the wanted one, then the others of its partition.

    Raises:
        UsageError: There is no region of that name.
    """
    name = wanted or next(iter(regions))
    if name not in regions:
        raise UsageError(
            f"releases are not published in the region {name!r}",
            hint=f"expected one of {', '.join(regions)}; --url names a place of your own",
        )
    first = regions[name]
    others = (each for each in regions.values() if each.partition == first.partition)
    return (first, *(each for each in others if each != first))


def mirrors(template: str, regions: Sequence[Region]) -> Sequence[Mirror]:
    """The URLs of ``regions``, without repetition where the template has no place for a region.

    Raises:
        UsageError: The template is no URL.
    """
    found: dict[str, Mirror] = {}
    for region in regions:
        url = template.replace("{region}", region.name).replace("{suffix}", region.suffix)
        url = url.rstrip("/") + "/"
        if not _is_address(url):
            raise UsageError(
                f"{template!r} is no address of releases",
                hint="expected https://HOST/PATH, in which {region} and {suffix} stand for the"
                " region's name and what its host names end in",
            )
        host = urllib.parse.urlsplit(url).netloc.rpartition("@")[2]
        name = region.name if "{region}" in template else host
        found.setdefault(url, Mirror(name, url))
    return tuple(found.values())


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return bool(
            parts.scheme in ("https", "http")
            and parts.hostname
            and parts.port != 0
            and "{" not in url
        )
    except ValueError:  # of brackets, or of the port
        return False
