"""The interpreter that freezes windows/amd64 on Windows: python.org's, which runs the build too."""

import os
import ssl
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from xml.parsers import expat

from awstoe_build import commands
from awstoe_build.interpreters import windows as interpreter_windows
from awstoe_build.interpreters.interpreter import Interpreter
from awstoe_build.targets import Target
from awstoe_build.toolchain.layers import Cache, Recipe
from awstoe_build.toolchain.windows import compiler as windows_compiler
from awstoe_build.toolchain.windows import installation as windows_installation
from awstoe_build.toolchain.windows import runtime as windows_runtime
from awstoe_build.toolchain.windows import site as windows_site


def layers(target: Target) -> Sequence[Recipe]:
    """Return the layers that freezing needs.

    Raises:
        BuildFailure: The Python that runs the build cannot be used to freeze.
    """
    return (
        windows_installation.recipe(windows_installation.running()),
        windows_site.recipe(target, windows_compiler.on_windows()),
    )


@contextmanager
def started(target: Target, cache: Cache, folder: str) -> Iterator[Interpreter]:
    """Yield the interpreter.

    Raises:
        BuildFailure: A layer cannot be built.
    """
    runtime, site = (cache.obtain(recipe) for recipe in layers(target))
    os.makedirs(folder, exist_ok=True)
    python = windows_installation.running().version
    openssl = ssl.OPENSSL_VERSION.split()[1]
    yield Interpreter(
        command=(windows_runtime.program(runtime),),
        environment={
            **commands.clean_environment(),
            "PYTHONPATH": site,
            "PYTHONUTF8": "1",
            # Excludes packages that the user has installed.
            "PYTHONNOUSERSITE": "1",
        },
        path=str,
        program=interpreter_windows.program(folder, target, str),
        site=site,
        facts={"python": python, "openssl": openssl},
        components=interpreter_windows.components(
            python=python,
            openssl=openssl,
            zlib=zlib.ZLIB_RUNTIME_VERSION,
            expat=expat.EXPAT_VERSION.removeprefix("expat_"),
        ),
    )
