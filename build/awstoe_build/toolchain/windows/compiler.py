"""The C compiler for what runs on Windows: zig, called as the machine that builds can call it.

On Linux it is the one of all targets, with its wrappers; on Windows it is the same release, made
for Windows, and called directly, as there are no shell scripts.
"""

import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from awstoe_build import programs
from awstoe_build.targets import Target
from awstoe_build.toolchain import compiler, registry
from awstoe_build.toolchain.layers import LayerBuild, Recipe
from awstoe_build.toolchain.windows import sources as windows_sources

_FLAGS: Final = ("-fno-sanitize=undefined", "-Wno-date-time", "-g0")
"""Those of the wrappers on Linux."""


class Compiler(NamedTuple):
    """A compiler, and how it is called."""

    layer: Recipe
    sources: Recipe
    """The layer with the sources of what is compiled."""
    prepare: Callable[[LayerBuild, Target], tuple[tuple[str, ...], Mapping[str, str]]]
    """Gives the start of the command and the environment, for a layer that needs ``layer``."""


def on_linux() -> Compiler:
    """The compiler on a Linux machine."""

    def prepare(workshop: LayerBuild, target: Target) -> tuple[tuple[str, ...], Mapping[str, str]]:
        return (compiler.CC,), compiler.environment(workshop, target)

    return Compiler(compiler.recipe(), registry.sources(), prepare)


def on_windows() -> Compiler:
    """The compiler on a Windows machine."""
    layer = Recipe(
        name="zig",
        module=sys.modules[__name__],
        inputs={"lock": registry.read_lock("zig-windows")},
        needs=(),
        build=_build,
    )
    return Compiler(layer, windows_sources.recipe(), _prepare)


def _build(workshop: LayerBuild) -> None:
    (wheel,) = registry.download(workshop, "zig-windows", platform="win_amd64")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(workshop.content)


def _prepare(workshop: LayerBuild, target: Target) -> tuple[tuple[str, ...], Mapping[str, str]]:
    zig = os.path.join(workshop.needs["zig"], "ziglang", "zig.exe")
    cache = os.path.join(workshop.scratch, "zig-cache")
    mapped = f"-ffile-prefix-map={workshop.scratch}=/awstoe-build"
    environment = {
        **programs.clean_environment(),
        "ZIG_GLOBAL_CACHE_DIR": cache,
        "ZIG_LOCAL_CACHE_DIR": cache,
    }
    return (zig, "cc", "-target", target.zig, *_FLAGS, mapped), environment
