"""The Python packages for one target: those that the program imports, and PyInstaller.

Most are pure Python and come as wheels. PyYAML's extension module is compiled here for every
target, with libyaml in it: no wheel is published for 32-bit x86, and doing the same for all is
simpler. cryptography has a layer of its own.
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

_SMOKE_TEST: Final = "import yaml, boto3, requests, rich, tuf, pyasn1; assert yaml.__with_libyaml__"


def recipe(target: Target) -> Recipe:
    """Return the layer with the packages for ``target``."""
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
        build=lambda build: _build(build, target),
    )


def _build(build: LayerBuild, target: Target) -> None:
    name = target.name.replace("/", "-")
    build.step("wheels")
    registry.install(build, "site", build.content)
    shutil.rmtree(os.path.join(build.content, "bin"), ignore_errors=True)
    shutil.copytree(build.needs["cryptography-" + name], build.content, dirs_exist_ok=True)
    build.step("PyInstaller with our bootloader")
    source = bootloader.unpack_source(build, "pyinstaller")
    package = os.path.join(build.content, "PyInstaller")
    shutil.copytree(
        os.path.join(source, "PyInstaller"),
        package,
        ignore=shutil.ignore_patterns("Darwin*", "Win*"),
    )
    shutil.copytree(
        build.needs["bootloader-" + name],
        os.path.join(package, "bootloader"),
        dirs_exist_ok=True,
    )
    build.step("PyYAML with libyaml")
    _build_yaml(build, target)
    extensions.run_smoke_test(build, target, _SMOKE_TEST)


def _build_yaml(build: LayerBuild, target: Target) -> None:
    source = bootloader.unpack_source(build, "pyyaml")
    translate = (sys.executable, "-B", "-m", "cython", "-3", "--fast-fail", "yaml/_yaml.pyx")
    build.run(
        *translate,
        folder=source,
        environment={
            **compiler.environment(build, target),
            "PYTHONPATH": build.needs["tools"],
        },
    )
    extensions.copy_package(os.path.join(source, "lib", "yaml"), build.content)
    extensions.write_metadata(source, build.content)
    extensions.compile_module(
        build,
        target,
        folder=source,
        arguments=("-Iyaml", "yaml/_yaml.c", "-lyaml"),
        output=os.path.join(build.content, "yaml", extensions.file_name("_yaml", target)),
    )
