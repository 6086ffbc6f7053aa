"""Writes the install scripts: templates in ``release/install``, filled in for a version.

A script contains the SHA-256 of every program of its version, so a user who trusts the script does
not need to trust any other download.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

from awstoe_release.configuration import FOLDER, Configuration
from awstoe_release.failure import ReleaseFailure

_FIELD: Final = re.compile(r"@([A-Z0-9_]+)@")
_SAFE: Final = re.compile(r"[A-Za-z0-9 ._:/{}+-]*")


def script(
    name: str,
    *,
    configuration: Configuration,
    version: str,
    digests: Mapping[str, str],
    fingerprints: Sequence[str],
) -> str:
    """Return an install script.

    Args:
        name: ``install.sh`` or ``install.ps1``.
        configuration: The configuration.
        version: The version that it installs.
        digests: SHA-256 of the programs by name, for example ``linux/amd64/awstoe``.
        fingerprints: The fingerprints of the OpenPGP keys that may have signed.

    Raises:
        ReleaseFailure: The template has an unknown field, or a shell could run a value as code.
    """
    path = os.path.join(FOLDER, "install", name + ".in")
    try:
        with open(path, encoding="utf-8") as stream:
            template = stream.read()
    except OSError as error:
        raise ReleaseFailure(f"{path} cannot be read: {error.strerror}") from error
    product = configuration.product
    values = {
        "PRODUCT": product.name,
        "TITLE": product.title,
        "VERSION": version,
        "REGION": configuration.regions[0].name,
        "URL": _with_region(configuration, name),
        "KEYS": " ".join(fingerprints),
        **{
            f"SHA256_{re.sub('[^A-Z0-9]', '_', target.upper())}": digests.get(
                next((each for each in digests if each.startswith(f"{target}/")), ""), ""
            )
            for target in _every_target(template)
        },
    }
    unsafe = [key for key, value in values.items() if not _SAFE.fullmatch(value)]
    if unsafe:
        raise ReleaseFailure(f"{name}: {unsafe[0]} has characters that a shell could run as code")
    try:
        return _FIELD.sub(lambda match: values[match[1]], template)
    except KeyError as error:
        raise ReleaseFailure(f"{path}: unknown field {error}") from error


def _every_target(template: str) -> list[str]:
    """Return the targets that a template has fields for."""
    found = {match for match in _FIELD.findall(template) if match.startswith("SHA256_")}
    return sorted(each.removeprefix("SHA256_").lower().replace("_", "/", 1) for each in found)


def _with_region(configuration: Configuration, name: str) -> str:
    """Return the address of a region with a field for its name, in the script's format."""
    suffix = configuration.regions[0].suffix
    mark = "{region}" if name.endswith(".ps1") else "REGION"
    found = configuration.client_url.replace("{suffix}", suffix).replace("{region}", mark)
    return found.rstrip("/")
