"""Finds Windows programs in PATH; usable on every platform.

A name is searched in the folders of PATH with each extension of PATHEXT; a path may get an
extension. The current folder is not searched: anyone who can write to it could put a program there.
"""

import ntpath
from collections.abc import Callable, Iterator, Mapping
from typing import Final

_DEFAULT_EXTENSIONS: Final = ".COM;.EXE;.BAT;.CMD"
BATCH_EXTENSIONS: Final = frozenset({".bat", ".cmd"})


def lookup(environment: Mapping[str, str], name: str) -> str | None:
    """Return a variable by its name, in any case."""
    if name in environment:
        return environment[name]
    wanted = name.upper()
    return next((value for key, value in environment.items() if key.upper() == wanted), None)


def is_batch_file(path: str) -> bool:
    """Whether the system starts ``path`` through cmd.exe (it drops dots and spaces at the end)."""
    return ntpath.splitext(path.rstrip(". "))[1].lower() in BATCH_EXTENSIONS


def has_folder(program: str) -> bool:
    """Whether ``program`` is a path, not a name."""
    return any(sign in program for sign in "/\\:")


def find(
    program: str, environment: Mapping[str, str], is_file: Callable[[str], bool]
) -> str | None:
    """Return the path of the file that ``program`` means, or None.

    Args:
        program: A name or a path, with or without an extension.
        environment: It has PATH and PATHEXT.
        is_file: Returns whether a path is a file.
    """
    searched = [""] if has_folder(program) else folders(environment)
    for folder in searched:
        for name in candidates(program, environment):
            path = ntpath.join(folder, name)
            if is_file(path):
                return path
    return None


def candidates(program: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield ``program`` with and without extensions, in search order.

    The name without an executable extension comes last: next to ``npm.cmd`` there often is an
    ``npm`` for other systems.
    """
    extensions = [
        each
        for each in (lookup(environment, "PATHEXT") or _DEFAULT_EXTENSIONS).split(";")
        if each.startswith(".")
    ]
    known = ntpath.splitext(program)[1].lower() in (each.lower() for each in extensions)
    if known:
        yield program
    for extension in extensions:
        yield program + extension
    if not known:
        yield program


def folders(environment: Mapping[str, str]) -> list[str]:
    """Return the folders of PATH."""
    path = lookup(environment, "PATH") or ""
    return [entry for part in path.split(";") if (entry := part.strip().strip('"'))]
