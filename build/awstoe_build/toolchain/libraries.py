"""The C libraries: zlib, bzip2, xz, libffi and libyaml, linked statically, and OpenSSL, shared.

OpenSSL is shared so that Python's modules and cryptography use the same copy. The layer contains
``include/`` and ``lib/`` only.
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
"""The prefix that the libraries are configured for. It contains no path of the build machine."""
_JOBS: Final = f"-j{os.cpu_count() or 1}"
_FLAGS: Final = "-O2 -fPIC"

_UNUSED_CIPHERS: Final = (
    *("aria", "bf", "camellia", "cast", "gost", "idea", "md2", "mdc2", "rc2", "rc4", "rc5"),
    *("rmd160", "seed", "sm2", "sm3", "sm4", "whirlpool"),
)
_UNUSED_PARTS: Final = (
    *("cmp", "cms", "ct", "ec2m", "engine", "ml-dsa", "quic", "sctp", "slh-dsa", "srp", "ts"),
    # With these, OpenSSL would read configuration and modules of the machine's own OpenSSL, which
    # are for another build of it.
    *("autoload-config", "module"),
    # Old algorithms; cryptography is compiled without them too.
    "legacy",
    # Not needed in the layer.
    *("apps", "docs", "tests"),
)

_Environment = dict[str, str]


def recipe(target: Target) -> Recipe:
    """Return the layer with the libraries for ``target``."""
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
        build=lambda build: _build(build, target),
    )


def _build(build: LayerBuild, target: Target) -> None:
    environment = compiler.environment(build, target)
    folder = os.path.join(build.scratch, "libraries")
    for name in ("include", "lib"):
        os.makedirs(os.path.join(build.content, name))
    parts: list[tuple[sources.Source, Callable[[LayerBuild, Target, str, _Environment], None]]] = [
        (source_pins.ZLIB, _zlib),
        (source_pins.BZIP2, _bzip2),
        (source_pins.XZ, _xz),
        (source_pins.LIBFFI, _libffi),
        (source_pins.LIBYAML, _libyaml),
        (source_pins.OPENSSL, _openssl),
    ]
    for source, compile_source in parts:
        build.step(f"{source.name} {source.version}")
        compile_source(build, target, sources.unpack(source, build, folder), environment)


def _zlib(build: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    settings = {**environment, "CFLAGS": _FLAGS, "CHOST": target.triple}
    build.run("./configure", "--static", folder=folder, environment=settings)
    tools = (f"CC={compiler.CC}", f"AR={compiler.AR}", "ARFLAGS=rc", f"RANLIB={compiler.RANLIB}")
    build.run("make", _JOBS, *tools, "libz.a", folder=folder, environment=settings)
    _copy_results(build, folder, headers=("zlib.h", "zconf.h"), libraries=("libz.a",))


def _bzip2(build: LayerBuild, _: Target, folder: str, environment: _Environment) -> None:
    tools = (f"CC={compiler.CC}", f"AR={compiler.AR}", f"RANLIB={compiler.RANLIB}")
    flags = f"CFLAGS={_FLAGS} -D_FILE_OFFSET_BITS=64"
    build.run("make", _JOBS, *tools, flags, "libbz2.a", folder=folder, environment=environment)
    _copy_results(build, folder, headers=("bzlib.h",), libraries=("libbz2.a",))


def _xz(build: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    unwanted = ("xz", "xzdec", "lzmadec", "lzmainfo", "scripts", "doc", "nls")
    off = [f"--disable-{name}" for name in unwanted]
    _autotools(build, target, folder, environment, *off)


def _libffi(build: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    build.run("autoreconf", "-i", folder=folder, environment=environment)
    # The test for hidden symbols does not understand zig's assembly for 32-bit x86.
    settings = {**environment, "libffi_cv_hidden_visibility_attribute": "yes"}
    off = ("--disable-docs", "--disable-multi-os-directory")
    _autotools(build, target, folder, settings, *off)


def _libyaml(build: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    build.run("autoreconf", "-i", folder=folder, environment=environment)
    _autotools(build, target, folder, environment)


def _autotools(
    build: LayerBuild, target: Target, folder: str, environment: _Environment, *options: str
) -> None:
    """Configure, make and install a static library that uses autoconf."""
    settings = {**environment, "CFLAGS": _FLAGS}
    static = ("--disable-shared", "--enable-static", "--with-pic")
    paths = (f"--host={target.triple}", f"--prefix={_PREFIX}", f"--libdir={_PREFIX}/lib")
    build.run("./configure", *paths, *static, *options, folder=folder, environment=settings)
    stage = os.path.join(folder, "stage")
    install = ("make", _JOBS, "install", f"DESTDIR={stage}")
    build.run(*install, folder=folder, environment=settings)
    shutil.copytree(
        f"{stage}{_PREFIX}/include", os.path.join(build.content, "include"), dirs_exist_ok=True
    )
    for path in glob.glob(f"{stage}{_PREFIX}/lib/*.a"):
        shutil.copy(path, os.path.join(build.content, "lib"))


def _openssl(build: LayerBuild, target: Target, folder: str, environment: _Environment) -> None:
    # Below the sources, so that the paths that get into the libraries are relative.
    work = os.path.join(folder, "out")
    os.makedirs(work)
    tools = (f"CC={compiler.CC}", f"AR={compiler.AR}", f"RANLIB={compiler.RANLIB}")
    paths = (f"--prefix={_PREFIX}", "--libdir=lib", "--openssldir=/etc/ssl")
    parts = ("shared", *(f"no-{each}" for each in (*_UNUSED_CIPHERS, *_UNUSED_PARTS)))
    build.run(
        *("perl", "../Configure", target.openssl, *target.openssl_flags, *parts, *paths, *tools),
        "CFLAGS=-O2",
        folder=work,
        environment=environment,
    )
    # Only the shared libraries: `build_libs` would compile every file twice, also for libcrypto.a.
    make = ("make", "-s", _JOBS)
    build.run(*make, "build_generated", folder=work, environment=environment)
    build.run(*make, "libcrypto.so", "libssl.so", folder=work, environment=environment)
    headers = os.path.join(build.content, "include", "openssl")
    for origin in (folder, work):
        shutil.copytree(
            os.path.join(origin, "include", "openssl"),
            headers,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("*.in"),
        )
    for name in ("libcrypto.so", "libssl.so"):
        library = os.path.join(build.content, "lib", name + ".3")
        shutil.copy(os.path.join(work, name + ".3"), library)
        os.symlink(name + ".3", os.path.join(build.content, "lib", name))


def _copy_results(
    build: LayerBuild, folder: str, *, headers: tuple[str, ...], libraries: tuple[str, ...]
) -> None:
    for name in headers:
        shutil.copy(os.path.join(folder, name), os.path.join(build.content, "include"))
    for name in libraries:
        shutil.copy(os.path.join(folder, name), os.path.join(build.content, "lib"))
