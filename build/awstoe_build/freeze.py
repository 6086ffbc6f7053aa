"""Freezes the program: PyInstaller under the target's own interpreter, the same bytes every time.

Time, hash seed and locale are fixed, the sources are copied to a folder by themselves so that
nothing else can be picked up, and the time is that of the commit.
"""

import json
import os
import shutil
from collections.abc import Callable
from typing import Final, NamedTuple

from awstoe.actions.table import ACTIONS
from awstoe_build import cpython, programs, site_packages
from awstoe_build.compiler import write_program
from awstoe_build.failure import BuildFailure
from awstoe_build.layers import Cache
from awstoe_build.targets import Target

ROOT: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_HERE: Final = os.path.dirname(os.path.abspath(__file__))

EXCLUDED: Final = {
    # for development only
    "setuptools": "a build tool",
    "pkg_resources": "part of setuptools",
    "_distutils_hack": "part of setuptools",
    "unittest": "for tests",
    "doctest": "for tests",
    "pdb": "for tests",
    "pydoc": "for interactive use",
    "pydoc_data": "for interactive use",
    "_pyrepl": "for interactive use",
    "readline": "for interactive use",
    "tkinter": "for windows on a screen",
    "turtle": "for windows on a screen",
    "sqlite3": "nothing uses it",
    "lib2to3": "nothing uses it",
    "xmlrpc": "nothing uses it",
    "multiprocessing": "threads and programs do; it would start awstoe anew",
    # Nothing talks to the network in this version: without them OpenSSL stays out, 2.6 MB of the
    # file and a third of the unpacking. hashlib has its own SHA-256.
    "ssl": "nothing uses it yet",
    "_ssl": "nothing uses it yet",
    "_hashlib": "hashlib does without",
    # Unpacked at every start and never used: documents are UTF-8, UTF-16 or UTF-32
    "_multibytecodec": "encodings of East Asia",
    "_codecs_cn": "encodings of East Asia",
    "_codecs_hk": "encodings of East Asia",
    "_codecs_iso2022": "encodings of East Asia",
    "_codecs_jp": "encodings of East Asia",
    "_codecs_kr": "encodings of East Asia",
    "_codecs_tw": "encodings of East Asia",
    "bz2": "shutil does without",
    "_bz2": "shutil does without",
    "lzma": "shutil does without",
    "_lzma": "shutil does without",
    "tarfile": "shutil does without",
    "csv": "for the metadata of packages only",
    "_csv": "for the metadata of packages only",
    "decimal": "for statistics only",
    "_decimal": "for statistics only",
    "_pydecimal": "for statistics only",
    "fractions": "for statistics only",
    "statistics": "random's self-test only",
    "_statistics": "random's self-test only",
    # rich's colouring of program text and its Markdown, which the progress view does not use
    "pygments": "10 MB that rich loads for program text only",
    "markdown_it": "rich loads it for Markdown only",
    "IPython": "rich looks for it",
    "ipywidgets": "rich looks for it",
}
"""Modules that stay out, each with its reason."""

_LIBRARIES_LEFT_OUT: Final = ("libgcc_s.so.1",)
"""PyInstaller would take the build machine's, made for its C library; nothing of ours needs it."""

_HOOKS_LEFT_OUT: Final = (
    "pyi_rth_inspect",
    "pyi_rth_pkgutil",
    "pyi_rth_multiprocessing",
    "pyi_rth_setuptools",
)
"""Start-up code for what awstoe does not do; it loads inspect and more."""

_INTERPRETER_OPTIONS: Final = ("X utf8=1", "u")
"""Fixed when freezing: the environment variables for them have no effect on a frozen program."""


class Frozen(NamedTuple):
    """What freezing made."""

    file: str
    analysis: str
    """The folder in which PyInstaller tells what it did and why."""


def hidden_imports() -> list[str]:
    """The modules that are imported by a name made at run time, which PyInstaller cannot see."""
    return sorted({f"awstoe.actions.{row.module}" for row in ACTIONS.values()})


def freeze(
    target: Target, cache: Cache, *, folder: str, epoch: int, say: Callable[[str], None]
) -> Frozen:
    """Make the file for ``target`` below ``folder``, which is emptied first.

    Raises:
        BuildFailure: A layer cannot be built, or PyInstaller failed.
    """
    interpreter = cache.obtain(cpython.recipe(target))
    site = cache.obtain(site_packages.recipe(target))
    say(f"  freezing {target.name}")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        settings = _prepare(folder)
    except OSError as error:
        raise BuildFailure(
            f"the build cannot be prepared in {folder}: {error.strerror or error}"
        ) from error
    tools = os.path.join(folder, "tools")
    _write_ldd(tools, target)
    environment = {
        **programs.clean_environment([tools]),
        "AWSTOE_FREEZE_SETTINGS": settings,
        "LD_LIBRARY_PATH": cpython.library_path(interpreter),
        "PYINSTALLER_CONFIG_DIR": os.path.join(folder, "pyinstaller"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": site,
        "SOURCE_DATE_EPOCH": str(epoch),
    }
    programs.run(
        (
            *(cpython.program(interpreter), "-m", "PyInstaller", "--noconfirm", "--clean"),
            *("--log-level", "WARN"),
            *("--workpath", os.path.join(folder, "work")),
            *("--distpath", os.path.join(folder, "made")),
            os.path.join(_HERE, "awstoe.spec"),
        ),
        folder=folder,
        environment=environment,
        log=os.path.join(folder, "log"),
    )
    made = os.path.join(folder, "made", "awstoe")
    return Frozen(made, os.path.join(folder, "work", "awstoe"))


def _prepare(folder: str) -> str:
    """Copy the sources and write the settings; gives the path of these."""
    source = os.path.join(folder, "source")
    shutil.copytree(
        os.path.join(ROOT, "src", "awstoe"),
        os.path.join(source, "awstoe"),
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("frozen_main.py", "frozen_start.py"):
        shutil.copy(os.path.join(_HERE, name), source)
    settings = {
        "start": os.path.join(source, "frozen_main.py"),
        "source": source,
        "runtime_hook": os.path.join(source, "frozen_start.py"),
        "hidden_imports": hidden_imports(),
        "excludes": sorted(EXCLUDED),
        "libraries_left_out": _LIBRARIES_LEFT_OUT,
        "hooks_left_out": _HOOKS_LEFT_OUT,
        "data_left_out": ["awstoe/__pycache__"],
        "interpreter_options": _INTERPRETER_OPTIONS,
    }
    path = os.path.join(folder, "settings.json")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(settings, stream, indent=1)
    return path


def _write_ldd(folder: str, target: Target) -> None:
    """PyInstaller's way to find libraries, by the target's own loader."""
    write_program(
        folder,
        "ldd",
        f'for file; do :; done\nLD_TRACE_LOADED_OBJECTS=1 exec {target.interpreter} "$file"',
    )
