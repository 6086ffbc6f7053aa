"""CPython for Windows, for builds on Windows: copied from the installation that runs the build.

The files are those that a build on Linux takes from a wheel: python.org's binaries and the standard
library, and nothing that was installed later.
"""

import os
import platform
import shutil
import sys
import sysconfig
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure
from awstoe_build.toolchain.layers import LayerBuild, Recipe, sha256_of
from awstoe_build.toolchain.windows import runtime as windows_runtime

_PROGRAMS: Final = ("python.exe", "python3.dll")
_INSTALL: Final = (
    "install Python 3.13 for 64-bit Windows from python.org with its default options, then run the"
    " build with it: py -3.13 -m awstoe_build build --target windows/amd64"
)


class Installation(NamedTuple):
    """Facts about an installation of Python."""

    folder: str
    implementation: str
    version: str
    """Python's version, three numbers."""
    platform: str
    """System and processor, as in the names of wheels."""
    free_threaded: bool
    """Whether it is the build without the global interpreter lock, which has another library."""


def running() -> Installation:
    """Return the installation that runs the build, or that its virtual environment is based on."""
    return Installation(
        folder=sys.base_prefix,
        implementation=sys.implementation.name,
        version=platform.python_version(),
        platform=sysconfig.get_platform(),
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )


def recipe(installation: Installation) -> Recipe:
    """Return the layer with the interpreter.

    Raises:
        BuildFailure: The installation cannot be used to build.
    """
    _check(installation)
    library = os.path.join(installation.folder, windows_runtime.LIBRARY)
    return Recipe(
        name=windows_runtime.NAME,
        module=sys.modules[__name__],
        inputs={
            "version": installation.version,
            "library": sha256_of(library),
            "files": repr(_files()),
            "excluded": repr(windows_runtime.EXCLUDED),
        },
        needs=(),
        build=lambda build: _build(build, installation.folder),
    )


def _check(installation: Installation) -> None:
    minor = installation.version.rpartition(".")[0]
    found = f"{installation.implementation} {installation.version} for {installation.platform}"
    if installation.free_threaded:
        found += ", free-threaded"
    if (installation.implementation, minor, installation.platform, installation.free_threaded) != (
        *("cpython", windows_runtime.VERSION, "win-amd64"),
        False,
    ):
        raise BuildFailure(
            f"the build is running under {found}; expected cpython {windows_runtime.VERSION} for"
            " win-amd64",
            hint=_INSTALL,
        )
    missing = [
        name
        for name in (*_files(), os.path.join("Lib", "os.py"))
        if not os.path.isfile(os.path.join(installation.folder, name))
    ]
    if missing:
        raise BuildFailure(
            f"the Python in {installation.folder} does not have {', '.join(missing)}",
            hint=_INSTALL,
        )


def _files() -> list[str]:
    """Return the files to copy besides the standard library."""
    extensions = (os.path.join("DLLs", name) for name in windows_runtime.EXTENSIONS)
    return [*_PROGRAMS, *windows_runtime.BESIDE_INTERPRETER, *extensions]


def _build(build: LayerBuild, folder: str) -> None:
    build.step(f"copy {folder}")
    os.makedirs(os.path.join(build.content, "DLLs"))
    for name in _files():
        shutil.copyfile(os.path.join(folder, name), os.path.join(build.content, name))
    windows_runtime.copy_standard_library(os.path.join(folder, "Lib"), build.content)
