"""Compiles extension modules from Python source distributions for a target's interpreter."""

import email
import os
import shutil

from awstoe_build.targets import Target
from awstoe_build.toolchain import compiler, cpython
from awstoe_build.toolchain.layers import LayerBuild


def file_name(module: str, target: Target) -> str:
    """Return the file name of an extension module."""
    # CPython's name for 32-bit x86 is i386, regardless of the compiler's.
    version, triple = cpython.VERSION.replace(".", ""), target.triple.replace("i686", "i386")
    return f"{module}.cpython-{version}-{triple}.so"


def compile_module(
    build: LayerBuild, target: Target, *, folder: str, arguments: tuple[str, ...], output: str
) -> None:
    """Compile and link one extension module with the libraries of the target.

    Args:
        build: The build of the layer, which needs the compiler, the libraries and the interpreter.
        target: The target to compile for.
        folder: The folder of the source.
        arguments: Source files, relative to ``folder``, macros, and libraries.
        output: The path of the result.

    Raises:
        BuildFailure: The compiler failed.
    """
    name = target.name.replace("/", "-")
    layer = build.needs["libraries-" + name]
    headers = os.path.join(build.needs["cpython-" + name], "include", "python" + cpython.VERSION)
    build.run(
        *(compiler.CC, "-O2", "-fPIC", "-shared", "-DNDEBUG", "-I" + headers, f"-I{layer}/include"),
        *("-o", output, f"-L{layer}/lib", *arguments),
        folder=folder,
        environment=compiler.environment(build, target),
    )


def copy_package(source: str, content: str) -> None:
    """Copy a package into a layer, without its bytecode caches."""
    shutil.copytree(
        source,
        os.path.join(content, os.path.basename(source)),
        ignore=shutil.ignore_patterns("__pycache__"),
    )


def write_metadata(source: str, content: str) -> None:
    """Write a distribution's metadata into a layer, as an installation would.

    Args:
        source: The unpacked source distribution.
        content: The layer's content.

    Raises:
        OSError: The metadata cannot be read or written.
    """
    path = os.path.join(source, "PKG-INFO")
    with open(path, encoding="utf-8") as stream:
        metadata = email.message_from_file(stream)
    folder = os.path.join(content, f"{metadata['Name']}-{metadata['Version']}.dist-info")
    os.makedirs(folder)
    shutil.copy(path, os.path.join(folder, "METADATA"))


def run_smoke_test(build: LayerBuild, target: Target, code: str) -> None:
    """Run code in the target's interpreter, with the content that the layer has so far.

    Raises:
        BuildFailure: The code failed, or raised a warning.
    """
    interpreter = build.needs["cpython-" + target.name.replace("/", "-")]
    build.run(
        *(*target.emulator, cpython.program(interpreter), "-B", "-W", "error", "-c", code),
        folder=build.scratch,
        environment={
            **compiler.environment(build, target),
            "LD_LIBRARY_PATH": cpython.library_path(interpreter),
            "PYTHONPATH": build.content,
        },
    )
