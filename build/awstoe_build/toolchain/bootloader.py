"""PyInstaller's bootloader, compiled from source for the old C library, with our additions.

The additions are in two C headers; the edits below insert the calls to them. An edit whose line
does not occur exactly once stops the build, because PyInstaller has changed in that case.
``docs/bootloader.md`` describes what the bootloader and the program in it agree on.
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
"""The additions that the bootloaders of all systems share."""
ADDITIONS: Final = (
    os.path.join(_HERE, "bootloader_additions.h"),
    os.path.join(_HERE, "bootloader_folder.h"),
    UNPACKING,
)


_DAMAGED: Final = '"awstoe: %s is damaged. Download it again\\n"'
"""The message, as a string of C."""


class Edit(NamedTuple):
    """One replacement in the bootloader's source."""

    file: str
    old: str
    new: str


EDITS: Final = (
    Edit(
        "pyi_utils_posix.c",
        '#include "pyi_global.h"',
        '#include "pyi_global.h"\n#include "bootloader_additions.h"',
    ),
    Edit(
        "pyi_utils_posix.c",
        "path_len = strlen(tmpdir_path);",
        "if (!awstoe_resolve_place(tmpdir_path)) { return -1; }\n"
        "    path_len = strlen(tmpdir_path);",
    ),
    Edit("pyi_utils_posix.c", "mkdtemp(tmpdir_path) == NULL", "!awstoe_make_folder(tmpdir_path)"),
    Edit("pyi_utils_posix.c", '"/usr/tmp"', '"/usr/tmp",\n        "/var/lib/awstoe"'),
    Edit(
        "pyi_utils_posix.c",
        "return -1; /* No suitable location found */",
        "return awstoe_unpack_beside_program(pyi_ctx->executable_filename,"
        " pyi_ctx->application_home_dir, _pyi_format_and_create_tmpdir);",
    ),
    Edit(
        "pyi_utils_posix.c",
        "/* If specified, use runtime_tmpdir */",
        "awstoe_block_signals();",
    ),
    Edit(
        "pyi_utils_posix.c",
        "child_pid = fork();",
        "awstoe_note_own_pid();\n    child_pid = fork();",
    ),
    Edit(
        "pyi_utils_posix.c",
        "/* Wait on the sync semaphore */",
        "awstoe_end_with_bootloader();",
    ),
    Edit(
        "pyi_utils_posix.c",
        "/* Modify the LISTEN_PID environment variable, if necessary */",
        "awstoe_set_up_child();",
    ),
    # Steps get the caller's environment unchanged.
    Edit(
        "pyi_utils_posix.c",
        "if (_pyi_set_systemd_env() != 0) {",
        "if (0 && _pyi_set_systemd_env() != 0) {",
    ),
    Edit(
        "pyi_utils_posix.c",
        "/* Signal the sync semaphore */",
        "awstoe_unblock_signals();",
    ),
    Edit(
        "pyi_utils_posix.c",
        "wait_rc = waitpid(child_pid, &rc, 0);",
        "awstoe_dismiss_guard();\n"
        "    awstoe_remove_abandoned(pyi_ctx->application_home_dir, child_pid);\n"
        "    wait_rc = awstoe_wait(child_pid, &rc);",
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
        "pyi_archive.c",
        "rc = _pyi_archive_extract_compressed(archive_fp, toc_entry, NULL, data);",
        "(void)_pyi_archive_extract_compressed;\n"
        "        rc = awstoe_unpack_to(archive_fp, toc_entry->length, data,"
        " toc_entry->uncompressed_length);",
    ),
    # PyInstaller does not check the table, and takes a file without files for a folder program: it
    # would load what lies beside it.
    Edit(
        "pyi_archive.c",
        "/* Check input file is still ok (should be). */",
        "if (!awstoe_is_archive_sound(&archive_cookie, cookie_pos, archive->toc)) {\n"
        f"        PYI_ERROR({_DAMAGED}, filename);\n"
        "        pyi_archive_free(&archive);\n"
        "        goto cleanup;\n"
        "    }",
    ),
    Edit(
        "pyi_main.c",
        "pyi_ctx->is_onefile = pyi_ctx->archive->contains_extractable_entries;",
        "pyi_ctx->is_onefile = pyi_ctx->archive->contains_extractable_entries;\n"
        "    if (!pyi_ctx->is_onefile) {\n"
        f"        PYI_ERROR({_DAMAGED}, pyi_ctx->archive_filename);\n"
        "        return -1;\n"
        "    }",
    ),
    Edit(
        "pyi_python.c",
        'PYI_DEBUG("LOADER: extracted %s\\n", toc_entry->name);',
        "if (data == NULL) {\n"
        f"            PYI_ERROR({_DAMAGED}, pyi_ctx->archive_filename);\n"
        "            exit(1);\n"  # the interpreter cannot be finalized yet
        "        }",
    ),
    Edit(
        "pyi_utils_posix.c",
        "dir_handle = opendir(dir_path);",
        "dir_handle = awstoe_open_own_folder(dir_path);",
    ),
    Edit(
        "pyi_utils_posix.c",
        'strcmp(dir_entry->d_name, "..") == 0)',
        'strcmp(dir_entry->d_name, "..") == 0\n'
        "            || strcmp(dir_entry->d_name, AWSTOE_MARK) == 0)",
    ),
    Edit(
        "pyi_utils_posix.c",
        "closedir(dir_handle);",
        "awstoe_remove_mark(dir_handle);\n    closedir(dir_handle);",
    ),
    Edit(
        "pyi_main.c",
        '#include "pyi_security.h"',
        '#include "pyi_security.h"\n'
        "int awstoe_hold_folder(const char *path);\n"
        "int awstoe_remove_folder(const char *path);",
    ),
    Edit(
        "pyi_main.c",
        "if (pyi_security_verify_onefile_application_home_dir_permissions(pyi_ctx) != true) {",
        "if (awstoe_hold_folder(pyi_ctx->application_home_dir) != 0 ||\n"
        "                pyi_security_verify_onefile_application_home_dir_permissions(pyi_ctx)"
        " != true) {",
    ),
    Edit(
        "pyi_main.c",
        "cleanup_status = pyi_recursive_rmdir(pyi_ctx->application_home_dir);",
        "cleanup_status = awstoe_remove_folder(pyi_ctx->application_home_dir);",
    ),
    # LD_LIBRARY_PATH keeps the caller's value: inside/late_loading.py loads libraries by path.
    # With PyInstaller's value, the C library would search the unpack folder first for its own
    # libraries. A step may have removed that folder, and another user may have created it again.
    Edit(
        "pyi_main.c",
        "if (pyi_utils_set_library_search_path(pyi_ctx->application_home_dir) == -1) {",
        "if (0) {",
    ),
    # A full disk is reported by the last write of a file or by an earlier one. The unpack folder
    # is removed in both cases.
    Edit(
        "pyi_archive.c",
        "fclose(out_fp);",
        "if (fclose(out_fp) != 0 && rc == 0) { rc = -1; }",
    ),
    Edit(
        "pyi_main.c",
        'PYI_DEBUG("LOADER: failed to extract files!\\n");',
        'PYI_ERROR("awstoe cannot unpack itself to %s: the disk may be full. Free some space'
        ' there, or set TMPDIR to another folder.\\n", pyi_ctx->application_home_dir);\n'
        "        pyi_main_onefile_parent_cleanup(pyi_ctx);",
    ),
)


def recipe(target: Target) -> Recipe:
    """Return the layer with the bootloader for ``target``: ``run``, in PyInstaller's folder."""
    return Recipe(
        name="bootloader-" + target.name.replace("/", "-"),
        module=sys.modules[__name__],
        inputs={
            "target": f"{target.compiled_for} interpreter={target.interpreter}",
            "additions": " ".join(map(sha256_of, ADDITIONS)),
        },
        needs=(compiler.recipe(), registry.sources()),
        build=lambda build: _build(build, target),
    )


def unpack_source(build: LayerBuild, package: str) -> str:
    """Unpack one of the Python source distributions and return its folder.

    Raises:
        BuildFailure: The layer does not have exactly one archive of it.
    """
    layer = build.needs["source-python-packages"]
    found = glob.glob(os.path.join(layer, package + "-*.tar.gz"))
    if len(found) != 1:
        raise BuildFailure(f"{layer} has {len(found)} archives of {package}, expected one")
    with tarfile.open(found[0]) as archive:
        # Python of Debian 12 has no filters. The archive's hash has been checked.
        archive.extraction_filter = getattr(tarfile, "tar_filter", None)
        archive.extractall(build.scratch)  # noqa: S202 - see above
    return os.path.join(build.scratch, os.path.basename(found[0]).removesuffix(".tar.gz"))


def apply_edits(source: str, edits: tuple[Edit, ...]) -> None:
    """Apply edits to the C files in the folder ``source``.

    Raises:
        BuildFailure: The old text of an edit does not occur exactly once.
    """
    for edit in edits:
        path = os.path.join(source, edit.file)
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        if text.count(edit.old) != 1:
            raise BuildFailure(
                f"{path} contains '{edit.old}' {text.count(edit.old)} times, expected once",
                hint="PyInstaller has changed: update the edits in bootloader.py",
            )
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text.replace(edit.old, edit.new))


def _build(build: LayerBuild, target: Target) -> None:
    folder = unpack_source(build, "pyinstaller")
    source = os.path.join(folder, "bootloader", "src")
    for path in ADDITIONS:
        shutil.copy(path, source)
    shutil.copytree(
        os.path.join(unpack_source(build, "deflate"), "libdeflate"),
        os.path.join(source, "libdeflate"),
    )
    apply_edits(source, EDITS)
    environment = compiler.environment(build, target)
    # waf reads the compiler's macros through standard input and adds -m32 or -m64. Here the
    # compiler's own target decides that.
    wrapper = compiler.write_program(
        os.path.join(build.scratch, "waf-compiler"),
        compiler.CC,
        'for word; do shift; case "$word" in -m32|-m64) ;; -) set -- "$@" -x c - ;;'
        ' *) set -- "$@" "$word" ;; esac; done\n'
        f'exec {os.path.join(build.scratch, "compiler", compiler.CC)} "$@"',
    )
    environment["CC"] = wrapper
    environment["STRIP"] = target.binutils + "strip"
    shutil.rmtree(os.path.join(folder, "PyInstaller", "bootloader"))
    os.makedirs(os.path.join(folder, "PyInstaller", "bootloader"))
    waf = (sys.executable, "./waf", "--clang", "--static-zlib")
    bits = f"--target-arch={target.elf[0]}bit"
    build.run(
        *(*waf, bits, "distclean", "configure", "build_release", "install_release"),
        folder=os.path.join(folder, "bootloader"),
        environment=environment,
    )
    (program,) = glob.glob(os.path.join(folder, "PyInstaller", "bootloader", "Linux-*", "run"))
    destination = os.path.join(build.content, os.path.basename(os.path.dirname(program)))
    os.makedirs(destination)
    shutil.copy(program, destination)
