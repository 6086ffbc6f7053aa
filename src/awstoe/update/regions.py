"""The regions that releases are published to, from ``regions.toml`` beside this file."""

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
"""What no path can be added to, or what is left of a place for something else."""


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
    name = next(iter(regions)) if wanted is None else wanted
    if name not in regions:
        raise UsageError(
            f"releases are not published in the region {name!r}",
            hint=f"expected one of {', '.join(regions)}; --url names a place of your own",
        )
    first = regions[name]
    others = (each for each in regions.values() if each.partition == first.partition)
    return (first, *(each for each in others if each != first))


def check_choice(template: str, wanted: str | None) -> None:
    """Refuse a region that would make no difference.

    Raises:
        UsageError: The template has no place for it.
    """
    if wanted is not None and "{region}" not in template and "{suffix}" not in template:
        raise UsageError(
            f"--region makes no difference: all regions are at {urls.redacted(template)}",
            hint="leave it out, or name a place with {region} in it: --url TEMPLATE",
        )


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
                f"{urls.redacted(template)!r} is no address of releases",
                hint="expected https://HOST/PATH or https://NAME:PASSWORD@HOST/PATH, in which"
                " {region} and {suffix} stand for the region's name and what its host names end in;"
                " in name and password write special characters as %XX",
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
            and "@" not in parts.path  # else a / of the password has ended the host
            and not _STRANGE.search(url)
        )
    except ValueError:  # of brackets, or of the port
        return False
