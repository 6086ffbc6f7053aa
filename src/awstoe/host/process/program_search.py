"""Where a Windows program is looked for; pure text and one question, usable wherever we run.

A name is looked for in the folders of PATH with each extension of PATHEXT, a path is completed by
one. The current folder is not searched: whoever can write into it could put a program there.
"""

import ntpath
from collections.abc import Callable, Iterator, Mapping
from typing import Final

_DEFAULT_EXTENSIONS: Final = ".COM;.EXE;.BAT;.CMD"
BATCH_EXTENSIONS: Final = frozenset({".bat", ".cmd"})


def lookup(environment: Mapping[str, str], name: str) -> str | None:
    """A variable, whatever the case of its name."""
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
    """The file that ``program`` stands for, or None.

    Args:
        program: A name, or a path; both with or without their extension.
        environment: Whose PATH and PATHEXT count.
        is_file: Tells whether there is such a file.
    """
    folders = [""] if has_folder(program) else _folders(environment)
    for folder in folders:
        for name in candidates(program, environment):
            path = ntpath.join(folder, name)
            if is_file(path):
                return path
    return None


def candidates(program: str, environment: Mapping[str, str]) -> Iterator[str]:
    """``program`` with and without extensions, in the order in which they are looked for.

    A name without an extension that can be run comes last: beside ``npm.cmd`` there often is an
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


def _folders(environment: Mapping[str, str]) -> list[str]:
    path = lookup(environment, "PATH") or ""
    return [entry for part in path.split(";") if (entry := part.strip().strip('"'))]
