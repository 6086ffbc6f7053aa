"""What is built from source: pinned Debian source packages, with the security team's patches.

Each is pinned by its version and the SHA-256 of every file, in ``source_pins.py``.
"""

import fnmatch
import os
import sys
import tarfile
from typing import NamedTuple

from awstoe_build import programs
from awstoe_build.failure import BuildFailure
from awstoe_build.toolchain import debian
from awstoe_build.toolchain.layers import LayerBuild, Recipe


class Archive(NamedTuple):
    """One file of a source package."""

    file: str
    sha256: str


class Source(NamedTuple):
    """One source package."""

    name: str
    """Debian's name."""
    version: str
    """Debian's version."""
    folder: str
    """The folder that the upstream archive unpacks to."""
    upstream: Archive
    packaging: Archive | None = None
    """Debian's part, with the patches; None where none of them is wanted."""
    patches: tuple[str, ...] = ()
    """Which patches are applied, in Debian's order, as patterns. The others adapt the package to
    Debian's layout."""


def recipe(source: Source) -> Recipe:
    """The layer with the archives of ``source``."""
    archives = [source.upstream, *([source.packaging] if source.packaging else [])]
    files = {archive.file: archive.sha256 for archive in archives}
    return Recipe(
        name=f"source-{source.name}",
        module=sys.modules[__name__],
        inputs={**files, "version": source.version, "patches": repr(source.patches)},
        needs=(),
        build=lambda workshop: debian.fetch_source(workshop, source.name, source.version, files),
    )


def unpack(source: Source, workshop: LayerBuild, folder: str) -> str:
    """Unpack and patch a source below ``folder``; gives the source's folder.

    Raises:
        BuildFailure: A patch does not fit.
    """
    layer = workshop.needs[f"source-{source.name}"]
    _extract(os.path.join(layer, source.upstream.file), folder)
    place = os.path.join(folder, source.folder)
    if source.packaging:
        packaging = os.path.join(folder, "packaging-" + source.name)
        _extract(os.path.join(layer, source.packaging.file), packaging)
        patches = os.path.join(packaging, "debian", "patches")
        for name in chosen_patches(os.path.join(patches, "series"), source.patches):
            workshop.run(
                *("patch", "-p1", "--silent", "--input", os.path.join(patches, name)),
                folder=place,
                environment=programs.clean_environment(),
                hint=f"{name} of {source.name} {source.version} does not fit: see source_pins.py",
            )
    return place


def chosen_patches(series: str, patterns: tuple[str, ...]) -> list[str]:
    """The patches of Debian's ``series`` file that fit one of the patterns, in its order.

    Raises:
        BuildFailure: A pattern fits none: the package has changed.
    """
    with open(series, encoding="utf-8") as stream:
        lines = [line.split("#")[0].split() for line in stream]
    names = [words[0] for words in lines if words]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise BuildFailure(
                f"no patch in {series} fits {pattern!r}", hint="bring source_pins.py up to date"
            )
    return [name for name in names if any(fnmatch.fnmatchcase(name, each) for each in patterns)]


def _extract(archive: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with tarfile.open(archive) as stream:
        # Debian 12's Python has no filters; the archive is what its hash says.
        stream.extraction_filter = getattr(tarfile, "tar_filter", None)
        stream.extractall(folder)  # noqa: S202 - see above
