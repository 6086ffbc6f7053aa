"""Pinned Debian source packages, with the security team's patches.

``source_pins.py`` pins each by its version and the SHA-256 of every file.
"""

import fnmatch
import os
import sys
import tarfile
from typing import NamedTuple

from awstoe_build import commands
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
    """The top folder in the upstream archive."""
    upstream: Archive
    packaging: Archive | None = None
    """Debian's own part with the patches, or None if no patch is applied."""
    patches: tuple[str, ...] = ()
    """Patterns for the names of the patches to apply. The others adapt the package to Debian's
    layout."""


def recipe(source: Source) -> Recipe:
    """Return the layer with the archives of ``source``."""
    archives = [source.upstream, *([source.packaging] if source.packaging else [])]
    files = {archive.file: archive.sha256 for archive in archives}
    return Recipe(
        name=f"source-{source.name}",
        module=sys.modules[__name__],
        inputs={**files, "version": source.version, "patches": repr(source.patches)},
        needs=(),
        build=lambda build: debian.fetch_source(build, source.name, source.version, files),
    )


def unpack(source: Source, build: LayerBuild, folder: str) -> str:
    """Unpack and patch a source below ``folder``, and return the source's folder.

    Raises:
        BuildFailure: A patch does not apply.
    """
    layer = build.needs[f"source-{source.name}"]
    _extract(os.path.join(layer, source.upstream.file), folder)
    unpacked = os.path.join(folder, source.folder)
    if source.packaging:
        packaging = os.path.join(folder, "packaging-" + source.name)
        _extract(os.path.join(layer, source.packaging.file), packaging)
        patches = os.path.join(packaging, "debian", "patches")
        for name in select_patches(os.path.join(patches, "series"), source.patches):
            build.run(
                *("patch", "-p1", "--silent", "--input", os.path.join(patches, name)),
                folder=unpacked,
                environment=commands.clean_environment(),
                hint=(
                    f"{name} of {source.name} {source.version} does not apply: update"
                    " source_pins.py"
                ),
            )
    return unpacked


def select_patches(series: str, patterns: tuple[str, ...]) -> list[str]:
    """Return the patches in Debian's ``series`` file that match a pattern, in its order.

    Raises:
        BuildFailure: A pattern matches no patch: the package has changed.
    """
    with open(series, encoding="utf-8") as stream:
        lines = [line.split("#")[0].split() for line in stream]
    names = [words[0] for words in lines if words]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise BuildFailure(
                f"no patch in {series} matches {pattern!r}", hint="update source_pins.py"
            )
    return [name for name in names if any(fnmatch.fnmatchcase(name, each) for each in patterns)]


def _extract(archive: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with tarfile.open(archive) as stream:
        # Python of Debian 12 has no filters. The archive's hash has been checked.
        stream.extraction_filter = getattr(tarfile, "tar_filter", None)
        stream.extractall(folder)  # noqa: S202 - see above
