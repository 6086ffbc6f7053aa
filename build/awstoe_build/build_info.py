"""Writes the facts about a build: ``awstoe_build_facts.json`` in the executable's unpack folder.

Version, commit and libraries are known before freezing. The packages that are really inside are
known when PyInstaller has found everything. ``awstoe.spec`` calls this with both.
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
"""The licenses of packages whose metadata does not name them by SPDX identifiers."""

_BUILT: Final = {
    "cffi": ("_cffi_backend",),
    "cryptography": ("cryptography",),
    "pyyaml": ("yaml",),
}
"""The modules of the packages that the toolchain compiles, whose metadata has no list of files."""


class Component(NamedTuple):
    """Something in the executable that is not a Python package."""

    name: str
    version: str
    license: str
    inside: tuple[str, ...] = ()
    """The extension modules that contain or use it. Without any, it is in every executable."""


def write(
    path: str,
    known: Mapping[str, object],
    *,
    components: Iterable[Sequence[object]],
    names: Iterable[str],
    site: str,
) -> None:
    """Write the build facts of an executable.

    Args:
        path: The file to write.
        known: The facts that are known before freezing.
        components: Rows with the fields of ``Component``.
        names: The full names of all modules in the executable.
        site: The folder with the Python packages.

    Raises:
        ValueError: The metadata of a package does not name its license.
    """
    inside = set(names)
    packages = []
    for row in components:
        component = Component(*row)  # type: ignore[arg-type] # rows that have been JSON
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
    """Return the Python packages in a folder, with their top-level modules.

    Raises:
        ValueError: The metadata of a package does not name its license.
    """
    found = []
    for each in metadata.distributions(path=[site]):
        fields = each.metadata
        name = fields["Name"]
        license_ = _UNCLEAR.get(name.lower().replace("_", "-"))
        license_ = license_ or fields["License-Expression"] or fields["License"]
        if not license_ or "\n" in license_:
            license_ = _classified(fields.get_all("Classifier") or [])
        if not license_:
            raise ValueError(f"the metadata of {name} names no license: add it to build_info.py")
        modules = _top_level(each)
        found.append(Component(name, each.version, license_, modules))
    return found


def _classified(classifiers: Sequence[str]) -> str:
    rows = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    return " AND ".join(rows)


def _top_level(distribution: metadata.Distribution) -> tuple[str, ...]:
    """Return the top-level names that can be imported from a distribution."""
    built = _BUILT.get(distribution.name.lower())
    if built:
        return built
    files = distribution.files or ()
    first = {os.path.normpath(str(each)).replace("\\", "/").partition("/")[0] for each in files}
    return tuple(sorted(each.removesuffix(".py") for each in first if "-" not in each))
