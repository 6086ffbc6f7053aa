"""The C compiler: zig, which includes the headers and symbol lists of old C libraries.

Builds call it ``awstoe-cc``, by their PATH and without a folder, because OpenSSL and CPython write
the compiler's name and flags into what they build. The path of the scratch folder is replaced for
the same reason, so that two builds in different folders produce the same bytes.
"""

import os
import sys
import zipfile
from typing import Final

from awstoe_build import commands
from awstoe_build.failure import BuildFailure
from awstoe_build.targets import Target
from awstoe_build.toolchain import registry
from awstoe_build.toolchain.layers import LayerBuild, Recipe

CC: Final = "awstoe-cc"
CXX: Final = "awstoe-c++"
AR: Final = "awstoe-ar"
RANLIB: Final = "awstoe-ranlib"

_FLAGS: Final = ("-fno-sanitize=undefined", "-Wno-date-time")
_EPOCH: Final = "1700000000"
"""The time stamp for what is compiled here. The finished file has its commit's time."""


def recipe() -> Recipe:
    """Return the layer with zig, which is the same for all targets."""
    return Recipe(
        name="zig",
        module=sys.modules[__name__],
        inputs={"lock": registry.read_lock("zig")},
        needs=(),
        build=_build,
    )


def environment(build: LayerBuild, target: Target) -> dict[str, str]:
    """Write the compiler's wrappers, and return the environment to build for ``target``.

    Raises:
        BuildFailure: The wrappers cannot be written.
    """
    zig = os.path.join(build.needs["zig"], "ziglang", "zig")
    folder = os.path.join(build.scratch, "compiler")
    mapped = f"-ffile-prefix-map={build.scratch}=/awstoe-build"
    flags = " ".join((*_FLAGS, mapped))
    # -g0 last, because builds pass -g themselves. Debug information contains paths and would be
    # stripped anyway.
    for name, command in {
        CC: f'cc -target {target.zig} {flags} "$@" -g0',
        CXX: f'c++ -target {target.zig} {flags} "$@" -g0',
        AR: 'ar "$@"',
        RANLIB: 'ranlib "$@"',
    }.items():
        write_program(folder, name, f"exec {zig} {command}")
    # zig caches what it compiles by content, so that an interrupted build continues quickly.
    cache = os.path.join(os.path.dirname(os.path.dirname(build.scratch)), "zig-cache")
    return {
        **commands.clean_environment([folder]),
        "ZIG_GLOBAL_CACHE_DIR": cache,
        "ZIG_LOCAL_CACHE_DIR": cache,
        "SOURCE_DATE_EPOCH": _EPOCH,
        "CC": CC,
        "CXX": CXX,
        "AR": AR,
        "RANLIB": RANLIB,
        # pkg-config must not find this machine's own libraries.
        "PKG_CONFIG_LIBDIR": "/nonexistent",
        "PKG_CONFIG_PATH": "",
    }


def write_program(folder: str, name: str, text: str) -> str:
    """Write an executable shell script, and return its path.

    Raises:
        BuildFailure: The script cannot be written.
    """
    path = os.path.join(folder, name)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)  # noqa: S103 - a program
    except OSError as error:
        raise BuildFailure(f"cannot write {path}: {error.strerror}") from error
    return path


def _build(build: LayerBuild) -> None:
    """Unpack zig from its wheel."""
    (wheel,) = registry.download(build, "zig", platform="manylinux2010_x86_64")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(build.content)
    os.chmod(os.path.join(build.content, "ziglang", "zig"), 0o755)  # noqa: S103 - a program
