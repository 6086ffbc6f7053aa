"""Rust: Debian's compiler, and its standard library for a target.

Debian has the standard library for all our targets, builds it from source and keeps it for years.
The packages that determine what is compiled are pinned. They need trixie's C library, so the layer
contains trixie's dynamic loader, which starts the programs on any machine.
"""

import os
import shutil
import sys
from typing import Final

from awstoe_build.targets import Target
from awstoe_build.toolchain import debian
from awstoe_build.toolchain.debian import Package
from awstoe_build.toolchain.layers import LayerBuild, Recipe

_VERSION: Final = "1.85.1+dfsg1-1+deb13u1"
_COMPILER: Final = (
    Package(
        *("rustc", "amd64", _VERSION),
        "8dc8db527ef0e4e64c1361281c123c461b768c148d5308f841ef47c7b90b19d4",
    ),
    Package(
        *("cargo", "amd64", _VERSION),
        "673120ed6dff1aa3626199d3768bdddabe3124da90459f4b65da2ff5d66de234",
    ),
    Package(
        *("libstd-rust-1.85", "amd64", _VERSION),
        "880a7ccc84ac9ed5964379ff2f2c2de2763dc87cb2c812963cefb44008306587",
    ),
    Package(
        *("libllvm19", "amd64", "1:19.1.7-3+b1"),
        "db0d614d61345ca710fb73e75105f1ec6e38898fa7b3aa99fa7eb7d8b0a11d57",
    ),
)
_STANDARD_LIBRARY: Final = {
    "amd64": "f10847d21f156e700c16fede486e404d078183197187406b4b512ccc92468adb",
    "i386": "11430bba35389141892b64ba891fa7f326289337929a6d1438e6ed39d4d9ee67",
    "arm64": "176facb3ae2ee70d8f7e3a7c2f6c2b0fca16211ae2edadad9e6ce133dedd2ad1",
}
_SHARED_LIBRARIES: Final = (
    *("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libzstd1", "liblzma5", "libffi8", "libgmp10"),
    # of LLVM
    *("libedit2", "libtinfo6", "libbsd0", "libmd0", "libxml2", "libz3-4"),
    # of cargo
    *("libbrotli1", "libcom-err2", "libcurl4t64", "libgit2-1.9", "libgnutls30t64"),
    *("libgssapi-krb5-2", "libhogweed6t64", "libhttp-parser2.9", "libidn2-0", "libk5crypto3"),
    *("libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap2", "libmbedcrypto16"),
    *("libmbedtls21", "libmbedx509-7", "libnettle8t64", "libnghttp2-14", "libnghttp3-9"),
    *("libp11-kit0", "libpcre2-8-0", "libpsl5t64", "librtmp1", "libsasl2-2", "libsqlite3-0"),
    *("libssh2-1t64", "libssl3t64", "libtasn1-6", "libunistring5"),
)
"""The packages of the shared libraries that rustc and cargo load."""
LIBRARIES: Final = "usr/lib/x86_64-linux-gnu"
"""The folder in the layer with these and the dynamic loader."""
_RUSTLIB: Final = "usr/lib/rustlib"


def recipe() -> Recipe:
    """Return the layer with rustc and cargo for the build machine."""
    return Recipe(
        name="rust",
        module=sys.modules[__name__],
        inputs={each.name: f"{each.version} {each.sha256}" for each in _COMPILER},
        needs=(),
        build=_build,
    )


def standard_library(target: Target) -> Recipe:
    """Return the layer with Rust's standard library for ``target``."""
    return Recipe(
        name="rust-library-" + target.name.replace("/", "-"),
        module=sys.modules[__name__],
        inputs={"version": _VERSION, "sha256": _STANDARD_LIBRARY[target.debian]},
        needs=(),
        build=lambda build: _build_library(build, target),
    )


def _build(build: LayerBuild) -> None:
    build.step("download Debian's packages of rustc and cargo")
    root = os.path.join(build.scratch, "root")
    packages = debian.fetch_packages(build, _COMPILER, _SHARED_LIBRARIES)
    debian.unpack(build, packages, root)
    for name in ("rustc", "cargo"):
        _move(os.path.join(root, "usr", "bin", name), build.content, f"usr/bin/{name}")
    _move(os.path.join(root, LIBRARIES), build.content, LIBRARIES)


def _build_library(build: LayerBuild, target: Target) -> None:
    package = Package("libstd-rust-dev", target.debian, _VERSION, _STANDARD_LIBRARY[target.debian])
    root = os.path.join(build.scratch, "root")
    debian.unpack(build, debian.fetch_packages(build, [package]), root)
    _move(os.path.join(root, _RUSTLIB, target.rust), build.content, target.rust)


def _move(origin: str, content: str, name: str) -> None:
    destination = os.path.join(content, name)
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    shutil.move(origin, destination)
