"""The C compiler for programs that run on Windows: zig, in the form that runs on this machine.

On Linux it is the compiler of all targets, with its wrappers. On Windows it is the same release for
Windows, called directly, because Windows has no shell scripts.
"""

import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from awstoe_build import commands
from awstoe_build.targets import Target
from awstoe_build.toolchain import compiler, registry
from awstoe_build.toolchain.layers import LayerBuild, Recipe
from awstoe_build.toolchain.windows import sources as windows_sources

_FLAGS: Final = ("-fno-sanitize=undefined", "-Wno-date-time", "-g0")
"""The flags that the wrappers add on Linux."""


class Compiler(NamedTuple):
    """A compiler, and how to call it."""

    layer: Recipe
    sources: Recipe
    """The layer with the sources to compile."""
    prepare: Callable[[LayerBuild, Target], tuple[tuple[str, ...], Mapping[str, str]]]
    """Returns the start of the command and the environment, for a layer that needs ``layer``."""


def on_linux() -> Compiler:
    """Return the compiler for a build on Linux."""

    def prepare(build: LayerBuild, target: Target) -> tuple[tuple[str, ...], Mapping[str, str]]:
        return (compiler.CC,), compiler.environment(build, target)

    return Compiler(compiler.recipe(), registry.sources(), prepare)


def on_windows() -> Compiler:
    """Return the compiler for a build on Windows."""
    layer = Recipe(
        name="zig",
        module=sys.modules[__name__],
        inputs={"lock": registry.read_lock("zig-windows")},
        needs=(),
        build=_build,
    )
    return Compiler(layer, windows_sources.recipe(), _prepare)


def _build(build: LayerBuild) -> None:
    (wheel,) = registry.download(build, "zig-windows", platform="win_amd64")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(build.content)


def _prepare(build: LayerBuild, target: Target) -> tuple[tuple[str, ...], Mapping[str, str]]:
    zig = os.path.join(build.needs["zig"], "ziglang", "zig.exe")
    cache = os.path.join(build.scratch, "zig-cache")
    mapped = f"-ffile-prefix-map={build.scratch}=/awstoe-build"
    environment = {
        **commands.clean_environment(),
        "ZIG_GLOBAL_CACHE_DIR": cache,
        "ZIG_LOCAL_CACHE_DIR": cache,
    }
    return (zig, "cc", "-target", target.zig, *_FLAGS, mapped), environment
