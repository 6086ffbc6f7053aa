"""The interpreter that freezes Linux targets: always that of the build machine's own target.

It finds the program's modules, which are the same for every machine, and the libraries that they
need, which are then replaced by the target's. So freezing for a machine that this one would have to
emulate takes no longer than freezing for this one.
"""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from awstoe_build import commands
from awstoe_build.build_info import Component
from awstoe_build.failure import BuildFailure
from awstoe_build.interpreters.interpreter import Interpreter
from awstoe_build.targets import BUILD_MACHINE, Target
from awstoe_build.toolchain import cpython, extensions, registry, site_packages, source_pins
from awstoe_build.toolchain.compiler import write_program
from awstoe_build.toolchain.layers import Cache, Recipe
from awstoe_build.toolchain.sources import Source

_PARTS: Final[tuple[tuple[Source, str, str, tuple[str, ...]], ...]] = (
    (source_pins.PYTHON, "CPython", "PSF-2.0", ()),
    (source_pins.OPENSSL, "OpenSSL", "Apache-2.0", ("_ssl", "_hashlib")),
    (source_pins.ZLIB, "zlib", "Zlib", ()),
    (source_pins.LIBFFI, "libffi", "MIT", ("_ctypes", "_cffi_backend")),
    (source_pins.LIBYAML, "libyaml", "MIT", ("yaml._yaml",)),
    (source_pins.BZIP2, "bzip2", "bzip2-1.0.6", ("_bz2",)),
    (source_pins.XZ, "xz", "0BSD", ("_lzma",)),
)
"""The sources, their usual names, their licenses, and the modules that contain them."""


def layers(target: Target) -> Sequence[Recipe]:
    """Return the layers that freezing needs."""
    needed = {each.name: each for each in (BUILD_MACHINE, target)}.values()
    return tuple(
        recipe(each) for each in needed for recipe in (cpython.recipe, site_packages.recipe)
    )


@contextmanager
def started(target: Target, cache: Cache, folder: str) -> Iterator[Interpreter]:
    """Yield the interpreter. Write PyInstaller's tools for the target below ``folder``.

    Raises:
        BuildFailure: A layer cannot be built, or a file cannot be written.
    """
    interpreter = cache.obtain(cpython.recipe(BUILD_MACHINE))
    site = cache.obtain(site_packages.recipe(BUILD_MACHINE))
    target_site = cache.obtain(site_packages.recipe(target))
    tools = os.path.join(folder, "tools")
    _write_tools(tools, target)
    suffix, target_suffix = (extensions.file_name("", each) for each in (BUILD_MACHINE, target))
    yield Interpreter(
        command=(cpython.program(interpreter),),
        environment={
            **commands.clean_environment([tools]),
            "LD_LIBRARY_PATH": cpython.library_path(interpreter),
            "PYTHONPATH": site,
        },
        path=str,
        program={"strip": True},
        site=target_site,
        facts={
            "python": _upstream(source_pins.PYTHON.version),
            "openssl": _upstream(source_pins.OPENSSL.version),
        },
        components=_components(),
        counterparts={
            interpreter: cache.obtain(cpython.recipe(target)),
            site: target_site,
            suffix: target_suffix,
        },
        bootloader=_bootloader(target_site),
    )


def bootloader_component() -> Component:
    """Return the bootloader's entry, which is the same for all targets."""
    (version,) = re.findall(r"^pyinstaller==(\S+)", registry.read_lock("sources"), re.MULTILINE)
    license_ = "GPL-2.0-or-later WITH Bootloader-exception"
    return Component("PyInstaller's bootloader", version, license_)


def _components() -> tuple[Component, ...]:
    return (
        bootloader_component(),
        *(
            Component(name, source.version, license_, modules)
            for source, name, license_, modules in _PARTS
        ),
    )


def _upstream(version: str) -> str:
    """Return the version without Debian's revision."""
    return version.rpartition("-")[0]


def _bootloader(site: str) -> str:
    """Return the path of the target's bootloader.

    Raises:
        BuildFailure: The layer does not have exactly one.
    """
    found = glob.glob(os.path.join(site, "PyInstaller", "bootloader", "Linux-*", "run"))
    if len(found) != 1:
        raise BuildFailure(f"{site} has {len(found)} bootloaders, expected one")
    return found[0]


def _write_tools(folder: str, target: Target) -> None:
    """Write the programs that PyInstaller calls: ``ldd``, and the target's binutils."""
    write_program(
        folder,
        "ldd",
        f'for file; do :; done\nLD_TRACE_LOADED_OBJECTS=1 exec {BUILD_MACHINE.interpreter} "$file"',
    )
    if target.binutils:
        for name in ("strip", "objcopy"):
            write_program(folder, name, f'exec {target.binutils}{name} "$@"')
