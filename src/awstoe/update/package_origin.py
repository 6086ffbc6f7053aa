"""Finds out how a Python package of awstoe was installed, and says how to update that.

No package index is named as a source: the project does not publish there, so a package of this name
in an index is someone else's.
"""

import json
import os
import shlex
import sys
from importlib import metadata
from typing import Final, NamedTuple

from awstoe.host.files.shell_paths import file_url_path
from awstoe.host.network import urls

_NAME: Final = "awstoe"
_RELEASED: Final = "install a released file instead (README.md, 'Install')"


class PackageOrigin(NamedTuple):
    """How a package was installed, as its metadata states it."""

    source: str | None
    """``direct_url.json``: where an installer took it from, unless that was an index."""
    installer: str
    """The program that installed it; empty if unknown."""
    folder: str
    """Where the package is."""


def this_package() -> PackageOrigin | None:
    """Return how this package was installed; None if it was not, and runs from its folder."""
    try:
        distribution = metadata.distribution(_NAME)
        source = distribution.read_text("direct_url.json")
        installer = (distribution.read_text("INSTALLER") or "").strip()
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None
    return PackageOrigin(source, installer, package_folder())


def package_folder() -> str:
    """Return the folder that contains the package."""
    return os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 2))


def update_hint(origin: PackageOrigin | None) -> str:
    """Return how to update a package."""
    if origin is None:
        return f"it runs from the folder {package_folder()}: update that folder"
    program = urls.printable(origin.installer) or "an installer"
    try:
        source = json.loads(origin.source) if origin.source else {}
        url, folder = str(source["url"]), source.get("dir_info")
        vcs, path = source.get("vcs_info"), file_url_path(url)
    except (ValueError, KeyError, AttributeError, TypeError):
        return (
            f"{program} installed it in {origin.folder}, but not from this project, which publishes"
            f" to no package index: find out where it comes from, and {_RELEASED}"
        )
    shown = urls.printable(path) if path else urls.redacted(url)
    if isinstance(folder, dict) and folder.get("editable"):
        return f"it runs from the source tree {shown}: update that tree"
    if isinstance(folder, dict):
        command = shlex.join([sys.executable, "-m", "pip", "install", shown])
        again = f"run: {command}" if program == "pip" else "install it again in the same way"
        return (
            f"{program} installed it from the source tree {shown}: update that tree, then {again}"
        )
    if isinstance(vcs, dict):
        return f"{program} installed it from the repository {shown}: install a newer commit of it"
    return f"{program} installed it from {shown}: install a newer file in the same way"
