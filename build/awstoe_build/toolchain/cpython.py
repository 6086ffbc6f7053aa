"""CPython, compiled for the old C library with the libraries of ``libraries.py``.

The layer is an installation that can be moved: it finds its standard library relative to itself.
The recipe imports the extension modules at the end, because CPython's build silently leaves out
those whose library it does not find.
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
_SMOKE_TEST: Final = (
    "import _ssl, _hashlib, _ctypes, _lzma, _bz2, zlib, _socket, select, fcntl, termios"
)

# zig's linker requires the long form of -h, and at least one source or object file.
_EDITS: Final = (
    ("-Wl,-h$(INSTSONAME)", "-Wl,-soname,$(INSTSONAME)"),
    ("-Wl,-h$@ $^", "-Wl,-soname,$@ $(srcdir)/empty.c $^"),
)
# configure runs test programs for these where it can, and assumes bad values where it cannot. All
# targets get the values of Linux on these processors, which must not depend on the priority of the
# build or on what is in /dev.
_CONFIGURE_CACHE: Final = {
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
# Parts of the standard library that neither the program nor PyInstaller needs.
_EXCLUDED: Final = ("ensurepip", "idlelib", "test", "tkinter", "turtledemo")


def recipe(target: Target) -> Recipe:
    """Return the layer with the interpreter for ``target``."""
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
        build=lambda build: _build(build, target),
    )


def program(layer: str) -> str:
    """Return the path of the interpreter in a layer's content."""
    return os.path.join(layer, "bin", "python" + VERSION)


def library_path(layer: str) -> str:
    """Return the value of LD_LIBRARY_PATH for the interpreter in a layer's content."""
    return os.path.join(layer, "lib")


def _name(target: Target) -> str:
    return "cpython-" + target.name.replace("/", "-")


def _build(build: LayerBuild, target: Target) -> None:
    native = target is BUILD_MACHINE
    folder = sources.unpack(source_pins.PYTHON, build, os.path.join(build.scratch, "source"))
    _apply_edits(os.path.join(folder, "Makefile.pre.in"))
    with open(os.path.join(folder, "empty.c"), "w", encoding="utf-8"):
        pass
    layer = build.needs["libraries-" + target.name.replace("/", "-")]
    environment = _environment(build, target, layer)
    cross = [f"--build={BUILD_MACHINE.triple}", f"--host={target.triple}"]
    # configure stores this for the programs that the build runs, which import the new modules.
    if native:
        environment["LD_LIBRARY_PATH"] = os.path.join(layer, "lib")
    else:
        native_layer = build.needs[_name(BUILD_MACHINE)]
        cross.append(f"--with-build-python={program(native_layer)}")
        environment["LD_LIBRARY_PATH"] = library_path(native_layer)
    # Below the sources, so that the paths that get into what is built are relative.
    work = os.path.join(folder, "out")
    os.makedirs(work)
    parts = (
        *("--enable-shared", "--without-ensurepip", "--disable-test-modules"),
        # The docstrings of C functions are 0.3 MB that would be unpacked at every start.
        "--without-doc-strings",
    )
    build.step("configure")
    build.run(
        *("../configure", *cross, f"--prefix={_PREFIX}", f"--with-openssl={layer}", *parts),
        folder=work,
        environment=environment,
    )
    build.step("make")
    build.run("make", _JOBS, folder=work, environment=environment)
    stage = os.path.join(build.scratch, "stage")
    build.step("install")
    install = ("make", "install", f"DESTDIR={stage}")
    build.run(*install, folder=work, environment=environment)
    _copy_installation(build, stage + _PREFIX, layer)
    build.step("import its modules")
    build.run(
        *(*target.emulator, program(build.content), "-B", "-c", _SMOKE_TEST),
        folder=build.scratch,
        environment={**environment, "LD_LIBRARY_PATH": library_path(build.content)},
        hint=f"the interpreter for {target.name} does not run on this machine or lacks a module",
    )


def _environment(build: LayerBuild, target: Target, layer: str) -> dict[str, str]:
    include, lib = f"-I{layer}/include", f"-L{layer}/lib"
    by_name = {"LIBFFI": "ffi", "ZLIB": "z", "BZIP2": "bz2", "LIBLZMA": "lzma"}
    flags = {}
    for name, library in by_name.items():
        flags[name + "_CFLAGS"] = include
        flags[name + "_LIBS"] = f"{lib} -l{library}"
    return {
        **compiler.environment(build, target),
        **_CONFIGURE_CACHE,
        **flags,
        "OPT": "-DNDEBUG -O3 -Wall",
        "CFLAGS": "-O2",
        "CPPFLAGS": include,
        "LDFLAGS": lib,
    }


def _apply_edits(path: str) -> None:
    """Apply the edits to CPython's Makefile.

    Raises:
        BuildFailure: The old text of an edit does not occur exactly once.
    """
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    for old, new in _EDITS:
        if text.count(old) != 1:
            raise BuildFailure(
                f"{path} contains '{old}' {text.count(old)} times, expected once",
                hint="CPython has changed: update the edits in cpython.py",
            )
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def _copy_installation(build: LayerBuild, installed: str, libraries_layer: str) -> None:
    """Copy the parts of the installation that are needed, and OpenSSL, into the layer."""
    library = os.path.join(installed, "lib", "python" + VERSION)
    for name in _EXCLUDED:
        shutil.rmtree(os.path.join(library, name), ignore_errors=True)
    for name in os.listdir(library):
        if name.startswith("config-" + VERSION):
            shutil.rmtree(os.path.join(library, name))
    for name in ("bin", "include", "lib"):
        shutil.copytree(
            os.path.join(installed, name), os.path.join(build.content, name), symlinks=True
        )
    for name in ("libcrypto.so.3", "libssl.so.3"):
        shutil.copy(os.path.join(libraries_layer, "lib", name), os.path.join(build.content, "lib"))
