"""The Python packages of one target: what the program imports, and PyInstaller to freeze it.

All but PyYAML are pure Python and come as wheels. PyYAML's extension is built here on every target,
with libyaml in it: no wheel of it is published for 32-bit x86, and one way for all is simpler.
"""

import os
import shutil
import sys
from typing import Final

from awstoe_build import bootloader, compiler, cpython, libraries, registry
from awstoe_build.layers import Recipe, Workshop
from awstoe_build.targets import Target

_GATE: Final = "import yaml, rich, PyInstaller; assert yaml.__with_libyaml__"


def recipe(target: Target) -> Recipe:
    """The layer with the packages for ``target``."""
    return Recipe(
        name="site-" + target.name.replace("/", "-"),
        module=sys.modules[__name__],
        inputs={"lock": registry.read_lock("site"), "target": repr(target[:5])},
        needs=(
            compiler.recipe(),
            registry.tools(),
            registry.sources(),
            libraries.recipe(target),
            cpython.recipe(target),
            bootloader.recipe(target),
        ),
        build=lambda workshop: _build(workshop, target),
    )


def _build(workshop: Workshop, target: Target) -> None:
    workshop.step("wheels")
    registry.install(workshop, "site", workshop.content)
    shutil.rmtree(os.path.join(workshop.content, "bin"), ignore_errors=True)
    workshop.step("PyInstaller with our boot loader")
    source = bootloader.unpack_source(workshop, "pyinstaller")
    place = os.path.join(workshop.content, "PyInstaller")
    shutil.copytree(
        os.path.join(source, "PyInstaller"), place, ignore=shutil.ignore_patterns("Darwin*", "Win*")
    )
    ours = workshop.needs["bootloader-" + target.name.replace("/", "-")]
    shutil.copytree(ours, os.path.join(place, "bootloader"), dirs_exist_ok=True)
    workshop.step("PyYAML with libyaml")
    _yaml(workshop, target)
    interpreter = workshop.needs["cpython-" + target.name.replace("/", "-")]
    workshop.run(
        *(cpython.program(interpreter), "-B", "-c", _GATE),
        folder=workshop.scratch,
        environment={
            **compiler.environment(workshop, target),
            "LD_LIBRARY_PATH": cpython.library_path(interpreter),
            "PYTHONPATH": workshop.content,
        },
    )


def _yaml(workshop: Workshop, target: Target) -> None:
    source = bootloader.unpack_source(workshop, "pyyaml")
    environment = compiler.environment(workshop, target)
    translate = (sys.executable, "-B", "-m", "cython", "-3", "--fast-fail", "yaml/_yaml.pyx")
    workshop.run(
        *translate,
        folder=source,
        environment={**environment, "PYTHONPATH": workshop.needs["tools"]},
    )
    layer = workshop.needs["libraries-" + target.name.replace("/", "-")]
    interpreter = workshop.needs["cpython-" + target.name.replace("/", "-")]
    headers = os.path.join(interpreter, "include", "python" + cpython.VERSION)
    package = os.path.join(workshop.content, "yaml")
    shutil.copytree(
        os.path.join(source, "lib", "yaml"), package, ignore=shutil.ignore_patterns("__pycache__")
    )
    # CPython calls 32-bit x86 i386, whatever its compiler does.
    version, triple = cpython.VERSION.replace(".", ""), target.triple.replace("i686", "i386")
    name = f"_yaml.cpython-{version}-{triple}.so"
    workshop.run(
        *(compiler.CC, "-O2", "-fPIC", "-shared", "-DNDEBUG", "-I" + headers, f"-I{layer}/include"),
        *("-Iyaml", "yaml/_yaml.c", "-o", os.path.join(package, name), f"-L{layer}/lib", "-lyaml"),
        folder=source,
        environment=environment,
    )
