"""cryptography and cffi, compiled for the old C library with the OpenSSL that Python uses.

The published wheels require a newer C library, contain an OpenSSL of their own, and do not exist
for 32-bit x86. cryptography loads cffi's extension module at run time and needs all of cffi to be
compiled.
"""

import os
import shutil
import sys
from typing import Final

from awstoe_build.targets import BUILD_MACHINE, Target
from awstoe_build.toolchain import (
    bootloader,
    cargo,
    compiler,
    cpython,
    extensions,
    libraries,
    registry,
    rust,
)
from awstoe_build.toolchain.layers import LayerBuild, Recipe, fingerprint

_SMOKE_TEST: Final = (
    "from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa\n"
    "from cryptography.hazmat.primitives import hashes\n"
    "from cryptography import x509\n"
    "import ssl\n"
    "from cryptography.hazmat.backends.openssl import backend\n"
    "assert backend.openssl_version_text() == ssl.OPENSSL_VERSION\n"
    "key = rsa.generate_private_key(65537, 2048)\n"
    "key.public_key().verify(key.sign(b'x', padding.PKCS1v15(), hashes.SHA256()), b'x',"
    " padding.PKCS1v15(), hashes.SHA256())\n"
    "key = ed25519.Ed25519PrivateKey.generate()\n"
    "key.public_key().verify(key.sign(b'x'), b'x')\n"
    "key = ec.generate_private_key(ec.SECP256R1())\n"
    "key.public_key().verify(key.sign(b'x', ec.ECDSA(hashes.SHA256())), b'x',"
    " ec.ECDSA(hashes.SHA256()))\n"
)


def cffi(target: Target) -> Recipe:
    """Return the layer with cffi for ``target``."""
    return Recipe(
        name=_name("cffi", target),
        module=sys.modules[__name__],
        inputs={"target": target.compiled_for, "extensions": fingerprint(extensions)},
        needs=(
            compiler.recipe(),
            registry.tools(),
            registry.sources(),
            libraries.recipe(target),
            cpython.recipe(target),
        ),
        build=lambda build: _build_cffi(build, target),
    )


def recipe(target: Target) -> Recipe:
    """Return the layer with cryptography for ``target``. It includes cffi's extension module."""
    needs = (
        compiler.recipe(),
        registry.tools(),
        registry.sources(),
        libraries.recipe(target),
        rust.recipe(),
        cargo.crates(),
        *(rust.standard_library(each) for each in (BUILD_MACHINE, target)),
        *(cpython.recipe(each) for each in (BUILD_MACHINE, target)),
        *(cffi(each) for each in (BUILD_MACHINE, target)),
    )
    return Recipe(
        name=_name("cryptography", target),
        module=sys.modules[__name__],
        inputs={
            "target": target.compiled_for,
            "rust": target.rust,
            "extensions": fingerprint(extensions),
        },
        needs=tuple({each.name: each for each in needs}.values()),
        build=lambda build: _build(build, target),
    )


def _name(package: str, target: Target) -> str:
    return f"{package}-{target.name.replace('/', '-')}"


def _build_cffi(build: LayerBuild, target: Target) -> None:
    source = bootloader.unpack_source(build, "cffi")
    macros = ("-DFFI_BUILDING=1", "-DUSE__THREAD", "-DHAVE_SYNC_SYNCHRONIZE")
    extensions.compile_module(
        build,
        target,
        folder=source,
        arguments=(*macros, "src/c/_cffi_backend.c", "-lffi"),
        output=os.path.join(build.content, extensions.file_name("_cffi_backend", target)),
    )
    extensions.copy_package(os.path.join(source, "src", "cffi"), build.content)
    extensions.write_metadata(source, build.content)


def _build(build: LayerBuild, target: Target) -> None:
    source = bootloader.unpack_source(build, "cryptography")
    layer = build.needs[_name("libraries", target)]
    interpreter = build.needs[_name("cpython", target)]
    native = build.needs[_name("cpython", BUILD_MACHINE)]
    environment = {
        **cargo.environment(build, target),
        # The script that generates the C code runs in our own interpreter.
        "LD_LIBRARY_PATH": cpython.library_path(native),
        "PYTHONPATH": os.pathsep.join(
            [build.needs[_name("cffi", BUILD_MACHINE)], build.needs["tools"]]
        ),
        "PYO3_PYTHON": cpython.program(native),
        "PYO3_CROSS_LIB_DIR": os.path.join(interpreter, "lib", "python" + cpython.VERSION),
        "PYO3_BUILD_EXTENSION_MODULE": "1",
        "OPENSSL_DIR": layer,
        "OPENSSL_NO_VENDOR": "1",
        "OPENSSL_STATIC": "0",
        "CRYPTOGRAPHY_BUILD_OPENSSL_NO_LEGACY": "1",
        "CFLAGS": "-O2 -fPIC",
    }
    build.step("cargo build")
    build.run(
        *("cargo", "build", "--release", "--locked", "--offline", "--target", target.rust),
        folder=os.path.join(source, "src", "rust"),
        environment=environment,
    )
    extensions.copy_package(os.path.join(source, "src", "cryptography"), build.content)
    shutil.copy(
        os.path.join(build.scratch, "target", target.rust, "release", "libcryptography_rust.so"),
        os.path.join(build.content, "cryptography", "hazmat", "bindings", "_rust.abi3.so"),
    )
    extensions.write_metadata(source, build.content)
    shutil.copytree(
        build.needs[_name("cffi", target)],
        build.content,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("cffi"),
    )
    build.step("test: sign and verify")
    extensions.run_smoke_test(build, target, _SMOKE_TEST)
