"""The C libraries: zlib, bzip2, xz, libffi and libyaml to be linked in, OpenSSL to be shared.

OpenSSL is shared because Python's modules and, later, other packages use one and the same copy.
``include/`` and ``lib/`` are all that the layer holds.
"""

import glob
import os
import shutil
import sys
from collections.abc import Callable
from typing import Final

from awstoe_build.targets import Target
from awstoe_build.toolchain import compiler, source_pins, sources
from awstoe_build.toolchain.layers import LayerBuild, Recipe

_PREFIX: Final = "/usr/local"
"""Where the libraries believe to be installed: no path of the build machine."""
_JOBS: Final = f"-j{os.cpu_count() or 1}"
_FLAGS: Final = "-O2 -fPIC"

_UNUSED_CIPHERS: Final = (
    *("aria", "bf", "camellia", "cast", "gost", "idea", "md2", "mdc2", "rc2", "rc4", "rc5"),
    *("rmd160", "seed", "sm2", "sm3", "sm4", "whirlpool"),
)
_UNUSED_PARTS: Final = (
    *("cmp", "cms", "ct", "ec2m", "engine", "ml-dsa", "quic", "sctp", "slh-dsa", "srp", "ts"),
    # Without these, no file of the machine's own OpenSSL is read: it was written for another build.
    *("autoload-config", "module"),
    # Old algorithms; cryptography is told at its compilation that there are none.
    "legacy",
    # For nobody here.
    *("apps", "docs", "tests"),
)

_Environment = dict[str, str]


def recipe(target: Target) -> Recipe:
    """The layer with the libraries for ``target``."""
    return Recipe(
        name="libraries-" + target.name.replace("/", "-"),
        module=sys.modules[__name__],
        inputs={"target": target.compiled_for, "flags": repr(target.openssl_flags)},
        needs=(
            compiler.recipe(),
            *(
                sources.recipe(each)
                for each in source_pins.SOURCES
                if each is not source_pins.PYTHON
            ),
        ),
        build=lambda workshop: _build(workshop, target),
    )


def _build(workshop: LayerBuild, target: Target) -> None:
    environment = compiler.environment(workshop, target)
    folder = os.path.join(workshop.scratch, "libraries")
    for name in ("include", "lib"):
        os.makedirs(os.path.join(workshop.content, name))
    parts: list[tuple[sources.Source, Callable[[LayerBuild, Target, str, _Environment], None]]] = [
        (source_pins.ZLIB, _zlib),
        (source_pins.BZIP2, _bzip2),
        (source_pins.XZ, _xz),
        (source_pins.LIBFFI, _libffi),
        (source_pins.LIBYAML, _libyaml),
        (source_pins.OPENSSL, _openssl),
    ]
    for source, build in parts:
        workshop.step(f"{source.name} {source.version}")
        build(workshop, target, sources.unpack(source, workshop, folder), environment)


def _zlib(workshop: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    settings = {**environment, "CFLAGS": _FLAGS, "CHOST": target.triple}
    workshop.run("./configure", "--static", folder=folder, environment=settings)
    tools = (f"CC={compiler.CC}", f"AR={compiler.AR}", "ARFLAGS=rc", f"RANLIB={compiler.RANLIB}")
    workshop.run("make", _JOBS, *tools, "libz.a", folder=folder, environment=settings)
    _keep(workshop, folder, headers=("zlib.h", "zconf.h"), libraries=("libz.a",))


def _bzip2(workshop: LayerBuild, _: Target, folder: str, environment: _Environment) -> None:
    tools = (f"CC={compiler.CC}", f"AR={compiler.AR}", f"RANLIB={compiler.RANLIB}")
    flags = f"CFLAGS={_FLAGS} -D_FILE_OFFSET_BITS=64"
    workshop.run("make", _JOBS, *tools, flags, "libbz2.a", folder=folder, environment=environment)
    _keep(workshop, folder, headers=("bzlib.h",), libraries=("libbz2.a",))


def _xz(workshop: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    unwanted = ("xz", "xzdec", "lzmadec", "lzmainfo", "scripts", "doc", "nls")
    off = [f"--disable-{name}" for name in unwanted]
    _autotools(workshop, target, folder, environment, *off)


def _libffi(workshop: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    workshop.run("autoreconf", "-i", folder=folder, environment=environment)
    # 32-bit x86: the test for hidden symbols does not understand this compiler's assembly.
    settings = {**environment, "libffi_cv_hidden_visibility_attribute": "yes"}
    off = ("--disable-docs", "--disable-multi-os-directory")
    _autotools(workshop, target, folder, settings, *off)


def _libyaml(workshop: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    workshop.run("autoreconf", "-i", folder=folder, environment=environment)
    _autotools(workshop, target, folder, environment)


def _autotools(
    workshop: LayerBuild, target: Target, folder: str, environment: _Environment, *options: str
) -> None:
    """Configure and make install of a static library, as autoconf's projects have it."""
    settings = {**environment, "CFLAGS": _FLAGS}
    static = ("--disable-shared", "--enable-static", "--with-pic")
    place = (f"--host={target.triple}", f"--prefix={_PREFIX}", f"--libdir={_PREFIX}/lib")
    workshop.run("./configure", *place, *static, *options, folder=folder, environment=settings)
    stage = os.path.join(folder, "stage")
    install = ("make", _JOBS, "install", f"DESTDIR={stage}")
    workshop.run(*install, folder=folder, environment=settings)
    shutil.copytree(
        f"{stage}{_PREFIX}/include", os.path.join(workshop.content, "include"), dirs_exist_ok=True
    )
    for path in glob.glob(f"{stage}{_PREFIX}/lib/*.a"):
        shutil.copy(path, os.path.join(workshop.content, "lib"))


def _openssl(workshop: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    # Below the sources: the paths that get into the libraries are relative then.
    work = os.path.join(folder, "out")
    os.makedirs(work)
    tools = (f"CC={compiler.CC}", f"AR={compiler.AR}", f"RANLIB={compiler.RANLIB}")
    place = (f"--prefix={_PREFIX}", "--libdir=lib", "--openssldir=/etc/ssl")
    parts = ("shared", *(f"no-{each}" for each in (*_UNUSED_CIPHERS, *_UNUSED_PARTS)))
    workshop.run(
        *("perl", "../Configure", target.openssl, *target.openssl_flags, *parts, *place, *tools),
        "CFLAGS=-O2",
        folder=work,
        environment=environment,
    )
    # The libraries alone: `build_libs` would compile every file twice, for libcrypto.a as well.
    make = ("make", "-s", _JOBS)
    workshop.run(*make, "build_generated", folder=work, environment=environment)
    workshop.run(*make, "libcrypto.so", "libssl.so", folder=work, environment=environment)
    headers = os.path.join(workshop.content, "include", "openssl")
    for origin in (folder, work):
        shutil.copytree(
            os.path.join(origin, "include", "openssl"),
            headers,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("*.in"),
        )
    for name in ("libcrypto.so", "libssl.so"):
        library = os.path.join(workshop.content, "lib", name + ".3")
        shutil.copy(os.path.join(work, name + ".3"), library)
        os.symlink(name + ".3", os.path.join(workshop.content, "lib", name))


def _keep(
    workshop: LayerBuild, folder: str, *, headers: tuple[str, ...], libraries: tuple[str, ...]
) -> None:
    for name in headers:
        shutil.copy(os.path.join(folder, name), os.path.join(workshop.content, "include"))
    for name in libraries:
        shutil.copy(os.path.join(folder, name), os.path.join(workshop.content, "lib"))
