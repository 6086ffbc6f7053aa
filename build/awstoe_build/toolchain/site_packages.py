"""The Python packages of one target: what the program imports, and PyInstaller to freeze it.

Most are pure Python and come as wheels. PyYAML's extension is built here on every target, with
libyaml in it: no wheel of it is published for 32-bit x86, and one way for all is simpler.
cryptography has a layer of its own.
"""

import os
import shutil
import sys
from typing import Final

from awstoe_build.targets import Target
from awstoe_build.toolchain import (
    bootloader,
    compiler,
    cpython,
    cryptography_package,
    extensions,
    libraries,
    registry,
)
from awstoe_build.toolchain.layers import LayerBuild, Recipe, fingerprint

_GATE: Final = "import yaml, boto3, requests, rich, tuf, pyasn1; assert yaml.__with_libyaml__"


def recipe(target: Target) -> Recipe:
    """The layer with the packages for ``target``."""
    return Recipe(
        name="site-" + target.name.replace("/", "-"),
        module=sys.modules[__name__],
        inputs={
            "lock": registry.read_lock("site"),
            "target": target.compiled_for,
            "extensions": fingerprint(extensions),
        },
        needs=(
            compiler.recipe(),
            registry.tools(),
            registry.sources(),
            libraries.recipe(target),
            cpython.recipe(target),
            bootloader.recipe(target),
            cryptography_package.recipe(target),
        ),
        build=lambda workshop: _build(workshop, target),
    )


def _build(workshop: LayerBuild, target: Target) -> None:
    name = target.name.replace("/", "-")
    workshop.step("wheels")
    registry.install(workshop, "site", workshop.content)
    shutil.rmtree(os.path.join(workshop.content, "bin"), ignore_errors=True)
    shutil.copytree(workshop.needs["cryptography-" + name], workshop.content, dirs_exist_ok=True)
    workshop.step("PyInstaller with our boot loader")
    source = bootloader.unpack_source(workshop, "pyinstaller")
    place = os.path.join(workshop.content, "PyInstaller")
    shutil.copytree(
        os.path.join(source, "PyInstaller"), place, ignore=shutil.ignore_patterns("Darwin*", "Win*")
    )
    ours = workshop.needs["bootloader-" + name]
    shutil.copytree(ours, os.path.join(place, "bootloader"), dirs_exist_ok=True)
    workshop.step("PyYAML with libyaml")
    _yaml(workshop, target)
    extensions.run_gate(workshop, target, _GATE)


def _yaml(workshop: LayerBuild, target: Target) -> None:
    source = bootloader.unpack_source(workshop, "pyyaml")
    translate = (sys.executable, "-B", "-m", "cython", "-3", "--fast-fail", "yaml/_yaml.pyx")
    workshop.run(
        *translate,
        folder=source,
        environment={
            **compiler.environment(workshop, target),
            "PYTHONPATH": workshop.needs["tools"],
        },
    )
    extensions.copy_package(os.path.join(source, "lib", "yaml"), workshop.content)
    extensions.keep_metadata(source, workshop.content)
    extensions.compile_module(
        workshop,
        target,
        folder=source,
        arguments=("-Iyaml", "yaml/_yaml.c", "-lyaml"),
        made=os.path.join(workshop.content, "yaml", extensions.file_name("_yaml", target)),
    )
