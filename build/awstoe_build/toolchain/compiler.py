"""The C compiler: zig, which brings the headers and symbol lists of every old C library with it.

Programs get it as ``awstoe-cc`` on their PATH, a name without a folder: OpenSSL and CPython write
the compiler's name and flags into what they build. The scratch folder is mapped away as well, so
that two builds in different folders give the same bytes.
"""

import os
import sys
import zipfile
from typing import Final

from awstoe_build import programs
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
"""The time that builds of libraries see. The finished file has its commit's."""


def recipe() -> Recipe:
    """The layer with zig, the same for all targets."""
    return Recipe(
        name="zig",
        module=sys.modules[__name__],
        inputs={"lock": registry.read_lock("zig")},
        needs=(),
        build=_build,
    )


def environment(workshop: LayerBuild, target: Target) -> dict[str, str]:
    """The environment for building for ``target``; writes the compiler's wrappers.

    Raises:
        BuildFailure: The wrappers cannot be written.
    """
    zig = os.path.join(workshop.needs["zig"], "ziglang", "zig")
    folder = os.path.join(workshop.scratch, "compiler")
    mapped = f"-ffile-prefix-map={workshop.scratch}=/awstoe-build"
    flags = " ".join((*_FLAGS, mapped))
    # Debug information last, as others ask for it: it holds paths and is stripped anyway.
    for name, command in {
        CC: f'cc -target {target.zig} {flags} "$@" -g0',
        CXX: f'c++ -target {target.zig} {flags} "$@" -g0',
        AR: 'ar "$@"',
        RANLIB: 'ranlib "$@"',
    }.items():
        write_program(folder, name, f"exec {zig} {command}")
    # zig keeps what it compiled by content: an interrupted build goes on quickly. It is a cache of
    # its own, and nothing of ours is kept there.
    cache = os.path.join(os.path.dirname(os.path.dirname(workshop.scratch)), "zig-cache")
    return {
        **programs.clean_environment([folder]),
        "ZIG_GLOBAL_CACHE_DIR": cache,
        "ZIG_LOCAL_CACHE_DIR": cache,
        "SOURCE_DATE_EPOCH": _EPOCH,
        "CC": CC,
        "CXX": CXX,
        "AR": AR,
        "RANLIB": RANLIB,
        # Nothing of the machine's own libraries may be found.
        "PKG_CONFIG_LIBDIR": "/nonexistent",
        "PKG_CONFIG_PATH": "",
    }


def write_program(folder: str, name: str, text: str) -> str:
    """Write a shell script that can be executed; gives its path.

    Raises:
        BuildFailure: It cannot be written.
    """
    path = os.path.join(folder, name)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)  # noqa: S103 - a program
    except OSError as error:
        raise BuildFailure(f"{path} cannot be written: {error.strerror}") from error
    return path


def _build(workshop: LayerBuild) -> None:
    """Unpack zig from its wheel."""
    (wheel,) = registry.download(workshop, "zig", platform="manylinux2010_x86_64")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(workshop.content)
    os.chmod(os.path.join(workshop.content, "ziglang", "zig"), 0o755)  # noqa: S103 - a program
