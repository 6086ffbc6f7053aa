"""PyInstaller's boot loader, compiled by us: for the old C library, with additions.

The additions stand in two C headers; here are the places they are called from. An
edit whose place is not there exactly once ends the build: PyInstaller has changed then.
"""

import glob
import os
import shutil
import sys
import tarfile
from typing import Final, NamedTuple

from awstoe_build.failure import BuildFailure
from awstoe_build.targets import Target
from awstoe_build.toolchain import compiler, registry
from awstoe_build.toolchain.layers import LayerBuild, Recipe, sha256_of

_HERE: Final = os.path.dirname(os.path.abspath(__file__))
UNPACKING: Final = os.path.join(_HERE, "bootloader_unpacking.h")
"""What the boot loaders of all systems share."""
ADDITIONS: Final = (os.path.join(_HERE, "bootloader_additions.h"), UNPACKING)


class Edit(NamedTuple):
    """One line of the boot loader's source, and what stands there instead."""

    file: str
    line: str
    new: str


EDITS: Final = (
    Edit(
        "pyi_utils_posix.c",
        '#include "pyi_global.h"',
        '#include "pyi_global.h"\n#include "bootloader_additions.h"',
    ),
    Edit("pyi_utils_posix.c", "mkdtemp(tmpdir_path) == NULL", "!awstoe_make_folder(tmpdir_path)"),
    Edit("pyi_utils_posix.c", '"/usr/tmp"', '"/usr/tmp",\n        "/var/lib/awstoe"'),
    Edit(
        "pyi_utils_posix.c",
        "return -1; /* No suitable location found */",
        "return awstoe_beside_program(pyi_ctx->executable_filename, pyi_ctx->application_home_dir,"
        " _pyi_format_and_create_tmpdir);",
    ),
    Edit(
        "pyi_utils_posix.c",
        "/* If specified, use runtime_tmpdir */",
        "awstoe_hold_signals();",
    ),
    Edit(
        "pyi_utils_posix.c",
        "child_pid = fork();",
        "awstoe_before_fork();\n    child_pid = fork();",
    ),
    Edit(
        "pyi_utils_posix.c",
        "/* Modify the LISTEN_PID environment variable, if necessary */",
        "awstoe_in_child();",
    ),
    Edit(
        "pyi_utils_posix.c",
        "/* Signal the sync semaphore */",
        "awstoe_end_guard();\n    awstoe_release_signals();",
    ),
    Edit(
        "pyi_archive.c",
        '#include "pyi_utils.h"',
        '#include "pyi_utils.h"\n#include "bootloader_unpacking.h"',
    ),
    Edit(
        "pyi_archive.c",
        "rc = _pyi_archive_extract_compressed(archive_fp, toc_entry, out_fp, NULL);",
        "rc = awstoe_unpack(archive_fp, toc_entry->length, toc_entry->uncompressed_length,"
        " out_fp);",
    ),
    Edit(
        "pyi_utils_posix.c",
        "dir_handle = opendir(dir_path);",
        "dir_handle = awstoe_open_own_folder(dir_path);",
    ),
    # LD_LIBRARY_PATH stays the caller's: inside/late_loading.py loads libraries by their paths.
    # The C library would look for its own first in the folder that is unpacked to, which a step
    # may have removed and somebody else made again.
    Edit(
        "pyi_main.c",
        "if (pyi_utils_set_library_search_path(pyi_ctx->application_home_dir) == -1) {",
        "if (0) {",
    ),
    # A full disk shows at the end of a file, or in its middle; the folder goes in any case.
    Edit(
        "pyi_archive.c",
        "fclose(out_fp);",
        "if (fclose(out_fp) != 0 && rc == 0) { rc = -1; }",
    ),
    Edit(
        "pyi_main.c",
        'PYI_DEBUG("LOADER: failed to extract files!\\n");',
        'PYI_ERROR("awstoe cannot unpack itself to %s: is that full? Free some space there, or name'
        ' another folder by TMPDIR.\\n", pyi_ctx->application_home_dir);\n'
        "        pyi_main_onefile_parent_cleanup(pyi_ctx);",
    ),
)


def recipe(target: Target) -> Recipe:
    """The layer with the boot loader for ``target``: ``run``, in PyInstaller's folder for it."""
    return Recipe(
        name="bootloader-" + target.name.replace("/", "-"),
        module=sys.modules[__name__],
        inputs={
            "target": f"{target.compiled_for} interpreter={target.interpreter}",
            "additions": " ".join(map(sha256_of, ADDITIONS)),
        },
        needs=(compiler.recipe(), registry.sources()),
        build=lambda workshop: _build(workshop, target),
    )


def unpack_source(workshop: LayerBuild, package: str) -> str:
    """Unpack one of the Python source distributions; gives its folder.

    Raises:
        BuildFailure: It is not there.
    """
    layer = workshop.needs["source-python-packages"]
    found = glob.glob(os.path.join(layer, package + "-*.tar.gz"))
    if len(found) != 1:
        raise BuildFailure(f"{layer} has {len(found)} archives of {package}, expected one")
    with tarfile.open(found[0]) as archive:
        # Debian 12's Python has no filters; the archive is what its hash says.
        archive.extraction_filter = getattr(tarfile, "tar_filter", None)
        archive.extractall(workshop.scratch)  # noqa: S202 - see above
    return os.path.join(workshop.scratch, os.path.basename(found[0]).removesuffix(".tar.gz"))


def edit(source: str, edits: tuple[Edit, ...]) -> None:
    """Make the edits in the C files of the folder ``source``.

    Raises:
        BuildFailure: The place of an edit is not there exactly once.
    """
    for each in edits:
        path = os.path.join(source, each.file)
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        if text.count(each.line) != 1:
            raise BuildFailure(
                f"{path} has {text.count(each.line)} times '{each.line}', expected once",
                hint="PyInstaller has changed: look at the edits of bootloader.py",
            )
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text.replace(each.line, each.new))


def _build(workshop: LayerBuild, target: Target) -> None:
    folder = unpack_source(workshop, "pyinstaller")
    source = os.path.join(folder, "bootloader", "src")
    for path in ADDITIONS:
        shutil.copy(path, source)
    shutil.copytree(
        os.path.join(unpack_source(workshop, "deflate"), "libdeflate"),
        os.path.join(source, "libdeflate"),
    )
    edit(source, EDITS)
    environment = compiler.environment(workshop, target)
    # waf reads the compiler's macros from standard input and says -m32 or -m64, which is the
    # target's business here.
    path = compiler.write_program(
        os.path.join(workshop.scratch, "waf-compiler"),
        compiler.CC,
        'for word; do shift; case "$word" in -m32|-m64) ;; -) set -- "$@" -x c - ;;'
        ' *) set -- "$@" "$word" ;; esac; done\n'
        f'exec {os.path.join(workshop.scratch, "compiler", compiler.CC)} "$@"',
    )
    environment["CC"] = path
    environment["STRIP"] = target.binutils + "strip"
    shutil.rmtree(os.path.join(folder, "PyInstaller", "bootloader"))
    os.makedirs(os.path.join(folder, "PyInstaller", "bootloader"))
    waf = (sys.executable, "./waf", "--clang", "--static-zlib")
    bits = f"--target-arch={target.elf[0]}bit"
    workshop.run(
        *(*waf, bits, "distclean", "configure", "build_release", "install_release"),
        folder=os.path.join(folder, "bootloader"),
        environment=environment,
    )
    (program,) = glob.glob(os.path.join(folder, "PyInstaller", "bootloader", "Linux-*", "run"))
    place = os.path.join(workshop.content, os.path.basename(os.path.dirname(program)))
    os.makedirs(place)
    shutil.copy(program, place)
