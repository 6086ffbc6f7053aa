"""CPython: built for the old C library, with the libraries of ``libraries.py``.

The layer is an installation that finds its standard library beside itself, wherever it lies. Its
modules are imported once at the end: CPython's build goes on in silence without those whose library
it did not find.
"""

import os
import shutil
import sys
from typing import Final

from awstoe_build.failure import BuildFailure
from awstoe_build.targets import BUILD_MACHINE, Target
from awstoe_build.toolchain import compiler, libraries, source_pins, sources
from awstoe_build.toolchain.layers import LayerBuild, Recipe

VERSION: Final = "3.13"
_PREFIX: Final = "/usr/local"
_JOBS: Final = f"-j{os.cpu_count() or 1}"
_GATE: Final = "import _ssl, _hashlib, _ctypes, _lzma, _bz2, zlib, _socket, select, fcntl, termios"

# zig's linker driver wants the long spelling of -h, and at least one source or object.
_EDITS: Final = (
    ("-Wl,-h$(INSTSONAME)", "-Wl,-soname,$(INSTSONAME)"),
    ("-Wl,-h$@ $^", "-Wl,-soname,$@ $(srcdir)/empty.c $^"),
)
# What configure runs programs for, where it can, and else answers badly: all targets get Linux'
# answers on these processors. They must not depend on the build's priority or on what is in /dev.
_KNOWN: Final = {
    "ac_cv_aligned_required": "no",
    "ac_cv_broken_mbstowcs": "no",
    "ac_cv_broken_nice": "no",
    "ac_cv_broken_poll": "no",
    "ac_cv_broken_sem_getvalue": "no",
    "ac_cv_buggy_getaddrinfo": "no",
    "ac_cv_computed_gotos": "yes",
    "ac_cv_file__dev_ptc": "no",
    "ac_cv_file__dev_ptmx": "yes",
    "ac_cv_posix_semaphores_enabled": "yes",
    "ac_cv_pthread_system_supported": "yes",
    "ac_cv_rshift_extends_sign": "yes",
    "ac_cv_working_tzset": "yes",
    "ac_cv_x87_double_rounding": "no",
}
# Neither the program nor PyInstaller needs these.
_LEFT_OUT: Final = ("ensurepip", "idlelib", "test", "tkinter", "turtledemo")


def recipe(target: Target) -> Recipe:
    """The layer with the interpreter for ``target``."""
    native = () if target is BUILD_MACHINE else (recipe(BUILD_MACHINE),)
    return Recipe(
        name=_name(target),
        module=sys.modules[__name__],
        inputs={"target": target.compiled_for},
        needs=(
            compiler.recipe(),
            sources.recipe(source_pins.PYTHON),
            libraries.recipe(target),
            *native,
        ),
        build=lambda workshop: _build(workshop, target),
    )


def program(layer: str) -> str:
    """The interpreter in a layer's content."""
    return os.path.join(layer, "bin", "python" + VERSION)


def library_path(layer: str) -> str:
    """What LD_LIBRARY_PATH has to be for the interpreter in a layer's content."""
    return os.path.join(layer, "lib")


def _name(target: Target) -> str:
    return "cpython-" + target.name.replace("/", "-")


def _build(workshop: LayerBuild, target: Target) -> None:
    native = target is BUILD_MACHINE
    folder = sources.unpack(source_pins.PYTHON, workshop, os.path.join(workshop.scratch, "source"))
    _edit(os.path.join(folder, "Makefile.pre.in"))
    with open(os.path.join(folder, "empty.c"), "w", encoding="utf-8"):
        pass
    layer = workshop.needs["libraries-" + target.name.replace("/", "-")]
    environment = _environment(workshop, target, layer)
    cross = [f"--build={BUILD_MACHINE.triple}", f"--host={target.triple}"]
    # configure keeps this for the programs that the build runs: the new modules are imported there.
    if native:
        environment["LD_LIBRARY_PATH"] = os.path.join(layer, "lib")
    else:
        native_layer = workshop.needs[_name(BUILD_MACHINE)]
        cross.append(f"--with-build-python={program(native_layer)}")
        environment["LD_LIBRARY_PATH"] = library_path(native_layer)
    # Below the sources: relative paths get into what is built.
    work = os.path.join(folder, "out")
    os.makedirs(work)
    parts = (
        *("--enable-shared", "--without-ensurepip", "--disable-test-modules"),
        # The texts of C functions: 0.3 MB to unpack at every start, for nobody to read.
        "--without-doc-strings",
    )
    workshop.step("configure")
    workshop.run(
        *("../configure", *cross, f"--prefix={_PREFIX}", f"--with-openssl={layer}", *parts),
        folder=work,
        environment=environment,
    )
    workshop.step("make")
    workshop.run("make", _JOBS, folder=work, environment=environment)
    stage = os.path.join(workshop.scratch, "stage")
    workshop.step("install")
    install = ("make", "install", f"DESTDIR={stage}")
    workshop.run(*install, folder=work, environment=environment)
    _keep(workshop, stage + _PREFIX, layer)
    workshop.step("import its modules")
    workshop.run(
        *(*target.emulator, program(workshop.content), "-B", "-c", _GATE),
        folder=workshop.scratch,
        environment={**environment, "LD_LIBRARY_PATH": library_path(workshop.content)},
        hint=f"the interpreter for {target.name} does not run here, or lacks a module",
    )


def _environment(workshop: LayerBuild, target: Target, layer: str) -> dict[str, str]:
    include, lib = f"-I{layer}/include", f"-L{layer}/lib"
    by_name = {"LIBFFI": "ffi", "ZLIB": "z", "BZIP2": "bz2", "LIBLZMA": "lzma"}
    found = {}
    for name, library in by_name.items():
        found[name + "_CFLAGS"] = include
        found[name + "_LIBS"] = f"{lib} -l{library}"
    return {
        **compiler.environment(workshop, target),
        **_KNOWN,
        **found,
        "OPT": "-DNDEBUG -O3 -Wall",
        "CFLAGS": "-O2",
        "CPPFLAGS": include,
        "LDFLAGS": lib,
    }


def _edit(path: str) -> None:
    """Make the edits of CPython's Makefile.

    Raises:
        BuildFailure: A place to edit is not there exactly once.
    """
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    for old, new in _EDITS:
        if text.count(old) != 1:
            raise BuildFailure(f"{path} has {text.count(old)} times '{old}', expected once")
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def _keep(workshop: LayerBuild, installed: str, libraries_layer: str) -> None:
    """Take over what is needed of the installation, and OpenSSL beside it."""
    library = os.path.join(installed, "lib", "python" + VERSION)
    for name in _LEFT_OUT:
        shutil.rmtree(os.path.join(library, name), ignore_errors=True)
    for name in os.listdir(library):
        if name.startswith("config-" + VERSION):
            shutil.rmtree(os.path.join(library, name))
    for name in ("bin", "include", "lib"):
        shutil.copytree(
            os.path.join(installed, name), os.path.join(workshop.content, name), symlinks=True
        )
    for name in ("libcrypto.so.3", "libssl.so.3"):
        shutil.copy(
            os.path.join(libraries_layer, "lib", name), os.path.join(workshop.content, "lib")
        )
