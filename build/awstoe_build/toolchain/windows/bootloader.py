"""PyInstaller's bootloader for Windows, compiled from source, with our additions.

PyInstaller's own build script has to run on the target system. For Windows it comes down to one
call of the compiler, which this recipe makes itself. The additions are in
``bootloader_additions.h``; ``docs/bootloader.md`` describes what the bootloader and the program in
it agree on.
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
"""The folder in which PyInstaller looks for it."""
_HERE: Final = os.path.dirname(os.path.abspath(__file__))
ADDITIONS: Final = (
    os.path.join(_HERE, "bootloader_additions.h"),
    os.path.join(_HERE, "bootloader_folder.h"),
    bootloader.UNPACKING,
)
_HEADER: Final = '#include "pyi_global.h"'
_FILE: Final = "pyi_utils_win32.c"

EDITS: Final = (
    *(
        each._replace(new=each.new.replace("TMPDIR", "TMP"))
        for each in bootloader.EDITS
        if each.file in ("pyi_archive.c", "pyi_main.c", "pyi_python.c")
    ),
    Edit("pyi_main.c", _HEADER, _HEADER + '\n#include "bootloader_additions.h"'),
    Edit(
        _FILE,
        '#include "pyi_main.h"',
        '#include "pyi_main.h"\n#include "bootloader_additions.h"\n#include "bootloader_folder.h"',
    ),
    Edit(
        "pyi_main.c",
        "/* Fully resolve the executable name. */",
        "int awstoe_clean(void);\n"
        "    awstoe_protect_libraries();\n"
        "    if (awstoe_clean()) {\n"
        "        return 0;\n"
        "    }",
    ),
    Edit(
        "pyi_main.c",
        "if (LoadLibraryExW(dll_name, NULL, LOAD_LIBRARY_SEARCH_DEFAULT_DIRS)) {",
        "if (LoadLibraryExW(dll_name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32)) {",
    ),
    *(
        Edit(
            "pyi_dylib_python.c",
            start + "LoadLibraryExW(dll_fullpath, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);",
            start + "LoadLibraryExW(dll_fullpath, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR"
            " | LOAD_LIBRARY_SEARCH_SYSTEM32);",
        )
        for start in ("dylib->handle = ", "            ")
    ),
    # Children inherit the setting of SetDllDirectoryW(), but not that of AddDllDirectory().
    Edit(
        "pyi_main.c",
        'PYI_DEBUG_W(L"LOADER: calling SetDllDirectoryW: %ls\\n", dllpath_w);\n'
        "        SetDllDirectoryW(dllpath_w);",
        "awstoe_add_library_folder(dllpath_w);",
    ),
    Edit(_FILE, "_wtempnam(tempdir_path, prefix)", "awstoe_folder_name(prefix, i)"),
    Edit(
        _FILE,
        "CreateDirectoryW(application_home_dir_w, pyi_ctx->security_attr) == 0",
        "!awstoe_make_folder(&application_home_dir_w, pyi_ctx->security_attr)",
    ),
    # Protected from the parent's access list, and inherited by what is unpacked.
    Edit(_FILE, 'L"D:(A;;FA;;;%s)(A;;FA;;;%s)"', 'L"D:P(A;OICI;FA;;;%s)(A;OICI;FA;;;%s)"'),
    Edit(_FILE, 'L"D:(A;;FA;;;%s)",', 'L"D:P(A;OICI;FA;;;%s)",'),
    Edit(
        _FILE,
        'wcscmp(entry_info.cFileName, L"..") == 0) {',
        'wcscmp(entry_info.cFileName, L"..") == 0\n'
        "            || wcscmp(entry_info.cFileName, AWSTOE_MARK_NAME) == 0) {",
    ),
    Edit(_FILE, "/* Finally, remove the directory */", "awstoe_remove_mark(dir_path);"),
    # Links of all kinds are removed, and never followed.
    Edit(_FILE, "if (entry_info.dwReserved0 == IO_REPARSE_TAG_SYMLINK) {", "if (1) {"),
    Edit(
        _FILE,
        'PYI_DEBUG_W(L"LOADER: entering the waiting loop...\\n");',
        "awstoe_remove_abandoned(pyi_ctx->application_home_dir, pyi_ctx->child_process.hProcess);",
    ),
    Edit(
        _FILE,
        "/* Create _MEI + PID prefix */",
        "awstoe_create_stop_event(&pyi_ctx->child_process.hProcess);",
    ),
    Edit(
        _FILE,
        'PYI_DEBUG_W(L"LOADER: setting up child process...\\n");',
        "awstoe_move_console_handler_first();",
    ),
    Edit(
        "pyi_main.c",
        'PYI_ERROR("Could not create temporary directory!\\n");',
        'PYI_ERROR("awstoe: no folder to unpack to: tried those of TMP, TEMP and USERPROFILE,'
        " Temp of Windows, and the program's own folder. Make one of them writable, or set TMP to"
        ' a folder that is\\n");',
    ),
    # PyInstaller waits a quarter of a second after every run, for programs that have a window.
    Edit(
        _FILE,
        "if (!pyi_ctx->session_shutdown) {",
        "if (!pyi_ctx->session_shutdown"
        " && !awstoe_exited_by_itself(pyi_ctx->child_process.hProcess)) {",
    ),
)

# The flags of the bootloader's own build script, for this compiler.
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
    """Return the layer with the bootloader: ``run.exe``, in PyInstaller's folder for it."""
    return Recipe(
        name=NAME,
        module=sys.modules[__name__],
        inputs={
            "zig": target.zig,
            "additions": " ".join(map(sha256_of, ADDITIONS)),
            "edits": repr(EDITS),
        },
        needs=(compiler.layer, compiler.sources),
        build=lambda build: _build(build, target, compiler),
    )


def _build(build: LayerBuild, target: Target, compiler: Compiler) -> None:
    folder = os.path.join(bootloader.unpack_source(build, "pyinstaller"), "bootloader")
    source = os.path.join(folder, "src")
    for path in ADDITIONS:
        shutil.copy(path, source)
    shutil.copytree(
        os.path.join(bootloader.unpack_source(build, "deflate"), "libdeflate"),
        os.path.join(source, "libdeflate"),
    )
    bootloader.apply_edits(source, EDITS)
    files = [
        os.path.relpath(path, folder).replace(os.sep, "/")
        for part in ("src", "zlib")
        for path in sorted(glob.glob(os.path.join(folder, part, "*.c")))
    ]
    command, environment = compiler.prepare(build, target)
    build.run(
        *(*command, *_FLAGS, *files, "-o", "run.exe", *_LINKED),
        folder=folder,
        environment=environment,
    )
    destination = os.path.join(build.content, FOLDER)
    os.makedirs(destination)
    shutil.copy(os.path.join(folder, "run.exe"), destination)
