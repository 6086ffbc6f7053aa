"""Freezes the program with PyInstaller, reproducibly: the same sources give the same bytes.

Hash seed and locale are fixed, and the time is that of the commit. The sources are copied to a
folder of their own, so that PyInstaller cannot find anything else.
"""

import json
import os
import shutil
from collections.abc import Callable
from typing import Final, NamedTuple

from awstoe import __version__
from awstoe_build import commands, selection, trust_files
from awstoe_build.failure import BuildFailure
from awstoe_build.interpreters import pick
from awstoe_build.interpreters.interpreter import Interpreter
from awstoe_build.source_info import Origin
from awstoe_build.targets import GLIBC_FLOOR, System, Target
from awstoe_build.toolchain.layers import Cache

ROOT: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_HERE: Final = os.path.dirname(os.path.abspath(__file__))

_START: Final = {
    System.LINUX: ("start.py", "modules.py", "late_loading.py"),
    System.WINDOWS: ("start_windows.py", "modules.py", "late_loading.py"),
}
"""The modules that run first inside the frozen program, in this order."""


class Frozen(NamedTuple):
    """The result of freezing."""

    file: str
    analysis: str
    """The folder with PyInstaller's reports on what it included and why."""


def freeze(
    target: Target,
    cache: Cache,
    *,
    folder: str,
    origin: Origin,
    trust: str,
    report: Callable[[str], None],
) -> Frozen:
    """Freeze the executable for ``target``.

    Args:
        target: The target.
        cache: The cache with the layers.
        folder: The folder to work in. Its content is removed first.
        origin: The commit and time of the sources.
        trust: The folder with the release trust to include; empty for a development build.
        report: Prints a line of progress.

    Raises:
        BuildFailure: A layer cannot be built, or PyInstaller failed.
    """
    report(f"  freezing {target.name}")
    shutil.rmtree(folder, ignore_errors=True)
    with pick.started(target, cache, folder) as interpreter:
        path = interpreter.path
        try:
            settings = _prepare(folder, target, interpreter, origin, trust)
        except OSError as error:
            raise BuildFailure(
                f"cannot prepare the build in {folder}: {error.strerror or error}"
            ) from error
        environment = {
            **interpreter.environment,
            "AWSTOE_FREEZE_SETTINGS": path(settings),
            "PYINSTALLER_CONFIG_DIR": path(os.path.join(folder, "pyinstaller")),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "SOURCE_DATE_EPOCH": str(origin.epoch),
        }
        commands.run(
            (
                *(*interpreter.command, "-m", "PyInstaller", "--noconfirm", "--clean"),
                *("--log-level", "WARN"),
                *("--workpath", path(os.path.join(folder, "work"))),
                *("--distpath", path(os.path.join(folder, "frozen"))),
                path(os.path.join(_HERE, "awstoe.spec")),
            ),
            folder=folder,
            environment=environment,
            log=os.path.join(folder, "log"),
        )
    file = os.path.join(folder, "frozen", target.program)
    return Frozen(file, os.path.join(folder, "work", "awstoe"))


def _prepare(
    folder: str, target: Target, interpreter: Interpreter, origin: Origin, trust: str
) -> str:
    """Copy the sources, write the settings for ``awstoe.spec``, and return the settings' path."""
    source = os.path.join(folder, "source")
    package = os.path.join(source, "awstoe")
    shutil.copytree(
        os.path.join(ROOT, "src", "awstoe"),
        package,
        ignore=shutil.ignore_patterns("__pycache__", ".*"),
    )
    if trust:
        trust_files.copy(trust, os.path.join(package, *trust_files.PLACE))
    start = _START[target.system]
    for name in ("main.py", *start):
        shutil.copy(os.path.join(_HERE, "inside", name), _inside(source, name))
    settings = {
        "build": interpreter.path(os.path.dirname(_HERE)),
        "start": interpreter.path(_inside(source, "main.py")),
        "source": interpreter.path(source),
        "site": interpreter.path(interpreter.site),
        "runtime_hooks": [interpreter.path(_inside(source, name)) for name in start],
        "hidden_imports": selection.hidden_imports(),
        "excludes": sorted(selection.EXCLUDED),
        "excluded_libraries": selection.EXCLUDED_LIBRARIES,
        "excluded_hooks": selection.EXCLUDED_HOOKS,
        "own_data": [(name, interpreter.path(path)) for name, path in _own_data(source)],
        "data": sorted(selection.DATA),
        "at_start": selection.AT_START,
        "base_at_start": selection.BASE_AT_START,
        "interpreter_options": selection.INTERPRETER_OPTIONS,
        "program": dict(interpreter.program),
        "bootloader": interpreter.bootloader,
        "counterparts": dict(interpreter.counterparts),
        "components": interpreter.components,
        "facts": {
            "version": __version__,
            "commit": origin.commit,
            "date": origin.date(),
            "target": target.name,
            "glibc_floor": (
                ".".join(map(str, GLIBC_FLOOR)) if target.system == System.LINUX else None
            ),
            **interpreter.facts,
        },
    }
    path = os.path.join(folder, "settings.json")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(settings, stream, indent=1)
    return path


def _inside(source: str, name: str) -> str:
    """Return the path for a copy of a file of ``inside/``: a name that hides no library module."""
    return os.path.join(source, f"frozen_{name}")


def _own_data(source: str) -> list[tuple[str, str]]:
    """Return awstoe's data files: each with its name in the program and its path."""
    found = []
    for parent, _, files in os.walk(os.path.join(source, "awstoe")):
        for name in files:
            if not name.endswith((".py", ".pyi")):
                path = os.path.join(parent, name)
                found.append((os.path.relpath(path, source).replace(os.sep, "/"), path))
    return sorted(found)
