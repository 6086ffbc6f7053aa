"""The interpreter that freezes windows/amd64 on Linux: python.org's, run by Wine."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from awstoe import __version__
from awstoe_build import version_info
from awstoe_build.build_info import Component
from awstoe_build.interpreters import linux as interpreter_linux
from awstoe_build.interpreters.interpreter import Interpreter
from awstoe_build.targets import Target
from awstoe_build.toolchain.layers import Cache, Recipe
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_build.toolchain.windows import site as windows_site
from awstoe_build.toolchain.windows import wine

_FACTS: Final = {"python": "3.13.11", "openssl": "3.0.18"}
"""The versions of the binaries in the wheel. A test compares them with what these report."""


def layers(target: Target) -> Sequence[Recipe]:
    """Return the layers that freezing needs."""
    return (windows_runtime.recipe(target), windows_site.recipe(target))


@contextmanager
def started(target: Target, cache: Cache, folder: str) -> Iterator[Interpreter]:
    """Yield the interpreter, in a Wine prefix below ``folder``.

    Raises:
        BuildFailure: A layer cannot be built, or Wine does not start.
    """
    runtime = cache.obtain(windows_runtime.recipe(target))
    site = cache.obtain(windows_site.recipe(target))
    os.makedirs(folder, exist_ok=True)
    prefix = os.path.join(folder, "wine")
    lacking = windows_runtime.wine_libraries(runtime)
    libraries = [os.path.join(lacking, name) for name in sorted(os.listdir(lacking))]
    try:
        with wine.machine(prefix, libraries) as environment:
            yield Interpreter(
                command=("wine", windows_runtime.program(runtime)),
                environment={
                    **environment,
                    "PYTHONPATH": wine.path(site),
                    "PYTHONUTF8": "1",
                },
                path=wine.path,
                program=program(folder, target, wine.path),
                site=site,
                facts=_FACTS,
                components=components(**_FACTS, zlib="1.3.1", expat="2.7.3"),
            )
    finally:
        shutil.rmtree(prefix, ignore_errors=True)


def components(*, python: str, openssl: str, zlib: str, expat: str) -> tuple[Component, ...]:
    """Return what is in the executable besides Python packages, with the given versions.

    The versions of libffi and libyaml are constants, because the binaries do not report them.
    cryptography's own OpenSSL counts as part of cryptography.
    """
    return (
        interpreter_linux.bootloader_component(),
        Component("CPython", python, "PSF-2.0"),
        Component("OpenSSL", openssl, "Apache-2.0", ("_ssl", "_hashlib")),
        Component("zlib", zlib, "Zlib"),
        Component("expat", expat, "MIT", ("pyexpat",)),
        Component("libffi", "3.4.4", "MIT", ("_ctypes",)),
        Component("libyaml", "0.2.5", "MIT", ("yaml._yaml",)),
    )


def program(folder: str, target: Target, path: Callable[[str], str]) -> dict[str, str | bool]:
    """Write the version resource, and return the target's own arguments for PyInstaller's ``EXE``.

    Args:
        folder: The folder for the resource.
        target: The target.
        path: Returns the interpreter's path for a path on this machine.
    """
    resource = os.path.join(folder, "version.txt")
    with open(resource, "w", encoding="utf-8") as stream:
        stream.write(version_info.text(__version__, file=target.program))
    return {
        "strip": False,
        "icon": "NONE",
        "manifest": version_info.MANIFEST,
        "version": path(resource),
    }
