"""The Python packages for windows/amd64: published wheels, and PyInstaller with our boot loader."""

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
    """The layer with the packages.

    Args:
        target: What they are for.
        compiler: What compiles the boot loader; without one, that of a Linux machine.
    """
    compiler = compiler or windows_compiler.on_linux()
    boot_loader = windows_bootloader.recipe(target, compiler)
    return Recipe(
        name=NAME,
        module=sys.modules[__name__],
        inputs={lock: registry.read_lock(lock) for lock in ("site", "windows")},
        needs=(registry.tools(), compiler.sources, boot_loader),
        build=_build,
    )


def _build(workshop: LayerBuild) -> None:
    workshop.step("wheels")
    registry.install(workshop, "site", workshop.content)
    # Beside the others, as pip replaces a folder that two packages share.
    compiled = os.path.join(workshop.scratch, "compiled")
    registry.install(workshop, "windows", compiled, platform="win_amd64")
    shutil.copytree(compiled, workshop.content, dirs_exist_ok=True)
    for name in ("bin", "Scripts"):
        shutil.rmtree(os.path.join(workshop.content, name), ignore_errors=True)
    workshop.step("PyInstaller with our boot loader")
    source = bootloader.unpack_source(workshop, "pyinstaller")
    place = os.path.join(workshop.content, "PyInstaller")
    shutil.copytree(
        os.path.join(source, "PyInstaller"),
        place,
        ignore=shutil.ignore_patterns("Darwin*", "Linux*", "Windows*-32bit*", "run*.exe"),
    )
    ours = workshop.needs[windows_bootloader.NAME]
    shutil.copytree(ours, os.path.join(place, "bootloader"), dirs_exist_ok=True)
