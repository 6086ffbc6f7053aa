"""The Python packages for windows/amd64: published wheels, and PyInstaller with our bootloader."""

import os
import shutil
import sys
from typing import Final

from awstoe_build.targets import Target
from awstoe_build.toolchain import bootloader, registry
from awstoe_build.toolchain.layers import LayerBuild, Recipe
from awstoe_build.toolchain.windows import bootloader as windows_bootloader
from awstoe_build.toolchain.windows import compiler as windows_compiler
from awstoe_build.toolchain.windows.compiler import Compiler

NAME: Final = "site-windows-amd64"


def recipe(target: Target, compiler: Compiler | None = None) -> Recipe:
    """Return the layer with the packages.

    Args:
        target: The target they are for.
        compiler: The compiler for the bootloader. The default is that of a build on Linux.
    """
    compiler = compiler or windows_compiler.on_linux()
    return Recipe(
        name=NAME,
        module=sys.modules[__name__],
        inputs={lock: registry.read_lock(lock) for lock in ("site", "windows")},
        needs=(
            registry.tools(),
            compiler.sources,
            windows_bootloader.recipe(target, compiler),
        ),
        build=_build,
    )


def _build(build: LayerBuild) -> None:
    build.step("wheels")
    registry.install(build, "site", build.content)
    # Into a folder of their own, because pip replaces a folder that two packages share.
    compiled = os.path.join(build.scratch, "compiled")
    registry.install(build, "windows", compiled, platform="win_amd64")
    shutil.copytree(compiled, build.content, dirs_exist_ok=True)
    for name in ("bin", "Scripts"):
        shutil.rmtree(os.path.join(build.content, name), ignore_errors=True)
    build.step("PyInstaller with our bootloader")
    source = bootloader.unpack_source(build, "pyinstaller")
    package = os.path.join(build.content, "PyInstaller")
    shutil.copytree(
        os.path.join(source, "PyInstaller"),
        package,
        ignore=shutil.ignore_patterns("Darwin*", "Linux*", "Windows*-32bit*", "run*.exe"),
    )
    shutil.copytree(
        build.needs[windows_bootloader.NAME],
        os.path.join(package, "bootloader"),
        dirs_exist_ok=True,
    )
