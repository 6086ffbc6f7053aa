"""PyInstaller's boot loader for Windows, compiled by us from its source, with additions.

Its own build script wants to run where the boot loader will; what it does for Windows is one call
of the compiler. The additions stand in ``bootloader_additions.h``.
"""

import glob
import os
import shutil
import sys
from typing import Final

from awstoe_build.targets import Target
from awstoe_build.toolchain import bootloader
from awstoe_build.toolchain.bootloader import Edit
from awstoe_build.toolchain.layers import LayerBuild, Recipe, sha256_of
from awstoe_build.toolchain.windows.compiler import Compiler

NAME: Final = "bootloader-windows-amd64"
FOLDER: Final = "Windows-64bit-intel"
"""Where PyInstaller looks for it."""
_HERE: Final = os.path.dirname(os.path.abspath(__file__))
ADDITIONS: Final = (os.path.join(_HERE, "bootloader_additions.h"), bootloader.UNPACKING)
_HEADER: Final = '#include "pyi_global.h"'
_FILE: Final = "pyi_utils_win32.c"

EDITS: Final = (
    *(
        each._replace(new=each.new.replace("TMPDIR", "TMP"))
        for each in bootloader.EDITS
        if each.file in ("pyi_archive.c", "pyi_main.c")
    ),
    *(
        Edit(file, _HEADER, _HEADER + '\n#include "bootloader_additions.h"')
        for file in ("pyi_main.c", _FILE)
    ),
    # What SetDllDirectoryW() says is handed on to children; what AddDllDirectory() says is not.
    Edit(
        "pyi_main.c",
        'PYI_DEBUG_W(L"LOADER: calling SetDllDirectoryW: %ls\\n", dllpath_w);\n'
        "        SetDllDirectoryW(dllpath_w);",
        "awstoe_search_libraries(dllpath_w);",
    ),
    Edit(_FILE, "_wtempnam(tempdir_path, prefix)", "awstoe_folder_name(prefix, i)"),
    Edit(
        _FILE,
        "/* Create _MEI + PID prefix */",
        "awstoe_listen(&pyi_ctx->child_process.hProcess);",
    ),
    Edit(
        _FILE,
        'PYI_DEBUG_W(L"LOADER: setting up child process...\\n");',
        "awstoe_listen_first();",
    ),
    Edit(
        "pyi_main.c",
        'PYI_ERROR("Could not create temporary directory!\\n");',
        'PYI_ERROR("awstoe: there is no folder to unpack to: tried those of TMP, TEMP and'
        " USERPROFILE, Temp of Windows, and the program's own. One of them has to be writable:"
        ' name another by TMP\\n");',
    ),
    # A quarter of a second after every run, for programs that have a window.
    Edit(
        _FILE,
        "if (!pyi_ctx->session_shutdown) {",
        "if (!pyi_ctx->session_shutdown"
        " && !awstoe_ended_by_itself(pyi_ctx->child_process.hProcess)) {",
    ),
)

# As in the boot loader's own build script, for this compiler.
_FLAGS: Final = (
    *("-O2", "-s", "-municode", "-mms-bitfields", "-Isrc", "-Izlib"),
    *("-DNDEBUG", "-DHAVE_STDBOOL_H", "-DHAVE_WCSDUP"),
    *("-D_CRT_NONSTDC_NO_WARNINGS", "-D_CRT_SECURE_NO_WARNINGS"),
)
_LINKED: Final = (
    *(f"-l{name}" for name in ("user32", "comctl32", "kernel32", "advapi32", "gdi32")),
    "-Wl,--stack,2000000",
)


def recipe(target: Target, compiler: Compiler) -> Recipe:
    """The layer with the boot loader: ``run.exe``, in PyInstaller's folder for it."""
    return Recipe(
        name=NAME,
        module=sys.modules[__name__],
        inputs={
            "zig": target.zig,
            "additions": " ".join(map(sha256_of, ADDITIONS)),
            "edits": repr(EDITS),
        },
        needs=(compiler.layer, compiler.sources),
        build=lambda workshop: _build(workshop, target, compiler),
    )


def _build(workshop: LayerBuild, target: Target, compiler: Compiler) -> None:
    folder = os.path.join(bootloader.unpack_source(workshop, "pyinstaller"), "bootloader")
    source = os.path.join(folder, "src")
    for path in ADDITIONS:
        shutil.copy(path, source)
    shutil.copytree(
        os.path.join(bootloader.unpack_source(workshop, "deflate"), "libdeflate"),
        os.path.join(source, "libdeflate"),
    )
    bootloader.edit(source, EDITS)
    files = [
        os.path.relpath(path, folder).replace(os.sep, "/")
        for place in ("src", "zlib")
        for path in sorted(glob.glob(os.path.join(folder, place, "*.c")))
    ]
    command, environment = compiler.prepare(workshop, target)
    workshop.run(
        *(*command, *_FLAGS, *files, "-o", "run.exe", *_LINKED),
        folder=folder,
        environment=environment,
    )
    place = os.path.join(workshop.content, FOLDER)
    os.makedirs(place)
    shutil.copy(os.path.join(folder, "run.exe"), place)
