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
"""Characters that no path can follow, or that are left of an unknown field."""


class Region(NamedTuple):
    """A region."""

    name: str
    partition: str
    suffix: str
    """The domain of the partition's host names."""


class Mirror(NamedTuple):
    """One place at which releases are published."""

    name: str
    """The region's name, or the host's name if the URL has no region."""
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
            name: Region(name, partition, data["partitions"][partition])
            for name, partition in data["regions"].items()
        }
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"not a list of regions: {error}") from error


def order(regions: Mapping[str, Region], wanted: str | None) -> Sequence[Region]:
    """Return the regions in the order to try them: the wanted one, then the rest of its partition.

    Raises:
        UsageError: There is no region with that name.
    """
    name = next(iter(regions)) if wanted is None else wanted
    if name not in regions:
        raise UsageError(
            f"releases are not published in the region {name!r}",
            hint=f"expected one of {', '.join(regions)}; for a place of your own, use --url",
        )
    first = regions[name]
    others = (each for each in regions.values() if each.partition == first.partition)
    return (first, *(each for each in others if each != first))


def check_choice(template: str, wanted: str | None) -> None:
    """Check that the choice of a region has an effect.

    Raises:
        UsageError: The template has no field for the region.
    """
    if wanted is not None and "{region}" not in template and "{suffix}" not in template:
        raise UsageError(
            f"--region makes no difference: all regions are at {urls.redacted(template)}",
            hint="leave it out, or use a template with {region} in it: --url TEMPLATE",
        )


def mirrors(template: str, regions: Sequence[Region]) -> Sequence[Mirror]:
    """Return the URLs of ``regions``; only one if the template has no field for a region.

    Raises:
        UsageError: The template is not a valid URL.
    """
    found: dict[str, Mirror] = {}
    for region in regions:
        url = template.replace("{region}", region.name).replace("{suffix}", region.suffix)
        url = url.rstrip("/") + "/"
        if not _is_address(url):
            raise UsageError(
                f"{urls.redacted(template)!r} is not a valid address of releases",
                hint="expected https://HOST/PATH or https://NAME:PASSWORD@HOST/PATH, in which"
                " {region} is replaced by the region's name and {suffix} by the domain of its host"
                " names; in name and password write special characters as %XX",
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
            and "@" not in parts.path  # a / in the password would have ended the host
            and not _STRANGE.search(url)
        )
    except ValueError:  # invalid brackets or port
        return False
