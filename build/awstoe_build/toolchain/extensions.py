"""Compiles extension modules from Python source distributions, for a target's own interpreter."""

import email
import os
import shutil

from awstoe_build.targets import Target
from awstoe_build.toolchain import compiler, cpython
from awstoe_build.toolchain.layers import LayerBuild


def file_name(module: str, target: Target) -> str:
    """What the file of an extension module has to be called."""
    # CPython calls 32-bit x86 i386, whatever its compiler does.
    version, triple = cpython.VERSION.replace(".", ""), target.triple.replace("i686", "i386")
    return f"{module}.cpython-{version}-{triple}.so"


def compile_module(
    workshop: LayerBuild, target: Target, *, folder: str, arguments: tuple[str, ...], made: str
) -> None:
    """Compile and link one extension module, with the libraries of the target.

    Args:
        workshop: The layer that is being built; it needs compiler, libraries and interpreter.
        target: What it is for.
        folder: The source's folder.
        arguments: Source files, below ``folder``, macros, and libraries.
        made: The path of the result.

    Raises:
        BuildFailure: The compiler failed.
    """
    name = target.name.replace("/", "-")
    layer = workshop.needs["libraries-" + name]
    headers = os.path.join(workshop.needs["cpython-" + name], "include", "python" + cpython.VERSION)
    workshop.run(
        *(compiler.CC, "-O2", "-fPIC", "-shared", "-DNDEBUG", "-I" + headers, f"-I{layer}/include"),
        *("-o", made, f"-L{layer}/lib", *arguments),
        folder=folder,
        environment=compiler.environment(workshop, target),
    )


def copy_package(source: str, content: str) -> None:
    """Copy a package's Python files into a layer, without what running them has left."""
    shutil.copytree(
        source,
        os.path.join(content, os.path.basename(source)),
        ignore=shutil.ignore_patterns("__pycache__"),
    )


def keep_metadata(source: str, content: str) -> None:
    """Write a distribution's metadata into a layer, as if it had been installed.

    Args:
        source: The unpacked source distribution.
        content: The layer's content.

    Raises:
        OSError: The metadata cannot be read or written.
    """
    path = os.path.join(source, "PKG-INFO")
    with open(path, encoding="utf-8") as stream:
        facts = email.message_from_file(stream)
    place = os.path.join(content, f"{facts['Name']}-{facts['Version']}.dist-info")
    os.makedirs(place)
    shutil.copy(path, os.path.join(place, "METADATA"))


def run_gate(workshop: LayerBuild, target: Target, code: str) -> None:
    """Run code in the target's interpreter, with what the layer has so far.

    Raises:
        BuildFailure: It failed, or warned.
    """
    interpreter = workshop.needs["cpython-" + target.name.replace("/", "-")]
    workshop.run(
        *(*target.emulator, cpython.program(interpreter), "-B", "-W", "error", "-c", code),
        folder=workshop.scratch,
        environment={
            **compiler.environment(workshop, target),
            "LD_LIBRARY_PATH": cpython.library_path(interpreter),
            "PYTHONPATH": workshop.content,
        },
    )
