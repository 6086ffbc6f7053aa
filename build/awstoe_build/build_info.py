"""What a single file says about itself: ``awstoe_build_facts.json`` at the root of its bundle.

The build knows version, commit and libraries before it freezes; which packages really got in is
known when PyInstaller has found everything. ``awstoe_spec`` puts both together.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Final, NamedTuple

NAME: Final = "awstoe_build_facts.json"

_UNCLEAR: Final = {
    "python-dateutil": "Apache-2.0 AND BSD-3-Clause",
    "s3transfer": "Apache-2.0",
}
"""Licences that the metadata of a package does not name by their identifiers."""

_BUILT: Final = {
    "cffi": ("_cffi_backend",),
    "cryptography": ("cryptography",),
    "pyyaml": ("yaml",),
}
"""The modules of the packages that are built here, whose metadata has no list of files."""


class Component(NamedTuple):
    """Something in the file that is no Python package."""

    name: str
    version: str
    license: str
    inside: tuple[str, ...] = ()
    """Extension modules that it is in or under; it is always inside where none are named."""


def write(
    path: str,
    known: Mapping[str, object],
    *,
    components: Iterable[Sequence[object]],
    names: Iterable[str],
    site: str,
) -> None:
    """Write the facts of a file.

    Args:
        path: Where to.
        known: What the build knows beforehand.
        components: Rows as ``Component`` has them.
        names: The full names of all modules in the file.
        site: The folder with the Python packages.

    Raises:
        ValueError: A package does not say under which licence it is.
    """
    inside = set(names)
    packages = []
    for row in components:
        component = Component(*row)  # type: ignore[arg-type] # rows of it, by way of JSON
        if not component.inside or inside & set(component.inside):
            packages.append(component[:3])
    top = {each.partition(".")[0] for each in inside}
    packages += [each[:3] for each in distributions(site) if top & set(each.inside)]
    facts = {
        **known,
        "packages": [
            {"name": name, "version": version, "license": license_}
            for name, version, license_ in sorted(packages, key=lambda row: row[0].lower())
        ],
    }
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(facts, stream, indent=1)


def distributions(site: str) -> list[Component]:
    """The Python packages in a folder; what is inside is their modules on the highest level.

    Raises:
        ValueError: A package does not say under which licence it is.
    """
    found = []
    for each in metadata.distributions(path=[site]):
        about = each.metadata
        name = about["Name"]
        license_ = _UNCLEAR.get(name.lower().replace("_", "-"))
        license_ = license_ or about["License-Expression"] or about["License"]
        if not license_ or "\n" in license_:
            license_ = _classified(about.get_all("Classifier") or [])
        if not license_:
            raise ValueError(f"{name} does not say under which licence it is: see facts.py")
        modules = _top_level(each)
        found.append(Component(name, each.version, license_, modules))
    return found


def _classified(classifiers: Sequence[str]) -> str:
    rows = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    return " AND ".join(rows)


def _top_level(distribution: metadata.Distribution) -> tuple[str, ...]:
    """The names that can be imported of a distribution, without what is below them."""
    built = _BUILT.get(distribution.name.lower())
    if built:
        return built
    files = distribution.files or ()
    first = {os.path.normpath(str(each)).replace("\\", "/").partition("/")[0] for each in files}
    return tuple(sorted(each.removesuffix(".py") for each in first if "-" not in each))
