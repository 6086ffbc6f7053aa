"""CPython for Windows, to build with on Windows: out of the installation that runs the build.

The files are those that a build on Linux takes out of a wheel: python.org's binaries and the
standard library, nothing that was installed later.
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
    "install Python 3.13 for 64-bit Windows from python.org with its standard options, and run the"
    " build with it: py -3.13 -m awstoe_build"
)


class Installation(NamedTuple):
    """What is known of an installation of Python."""

    folder: str
    implementation: str
    version: str
    """Of Python, three numbers."""
    platform: str
    """As wheels are named for it: system and processor."""
    free_threaded: bool
    """Whether it is the build without the global lock, whose library is another."""


def running() -> Installation:
    """The installation that runs the build, under a virtual environment if there is one."""
    return Installation(
        folder=sys.base_prefix,
        implementation=sys.implementation.name,
        version=platform.python_version(),
        platform=sysconfig.get_platform(),
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )


def recipe(installation: Installation) -> Recipe:
    """The layer with the interpreter.

    Raises:
        BuildFailure: The installation is not one that a file can be made with.
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
            "left out": repr(windows_runtime.LEFT_OUT),
        },
        needs=(),
        build=lambda workshop: _build(workshop, installation.folder),
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
            f"the build is run by {found}; expected cpython {windows_runtime.VERSION} for"
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
            f"the Python in {installation.folder} has no {', '.join(missing)}", hint=_INSTALL
        )


def _files() -> list[str]:
    """The files that are taken besides the standard library."""
    extensions = (os.path.join("DLLs", name) for name in windows_runtime.EXTENSIONS)
    return [*_PROGRAMS, *windows_runtime.BESIDE_PROGRAM, *extensions]


def _build(workshop: LayerBuild, folder: str) -> None:
    workshop.step(f"from {folder}")
    os.makedirs(os.path.join(workshop.content, "DLLs"))
    for name in _files():
        shutil.copyfile(os.path.join(folder, name), os.path.join(workshop.content, name))
    windows_runtime.copy_standard_library(os.path.join(folder, "Lib"), workshop.content)
