"""Reads, creates and compares the files that YAML test cases declare.

All case files (``actions``, ``guide`` and ``conformance``) declare files in one way: ``files``
lists what exists before the run, ``after`` what has to exist afterwards. Both map a path, relative
to the working directory of the case, to a shape. Paths that are not listed are not checked.

A shape is a text, which is short for ``{content: TEXT}``, or a mapping. Values are text; quote
numbers, as in ``mode: "0755"``. One of these keys says what the path is:

    content     a file with this text, in UTF-8
    hex         a file with these bytes
    bytes       a file of this size; created as zeros
    folder      ``true``: a folder
    fifo        ``true``: a named pipe
    link        a symbolic link with this target
    hardlink    a second name of this file; only in ``files``
    missing     ``true``: nothing exists at this path; only in ``after``

and these describe it further. In ``after``, they may also be the only keys:

    mode        the permissions, as four octal digits; of a link itself
    owner       the name or the number of the user; of a link itself; only in ``after``
    group       the name or the number of the group; of a link itself; only in ``after``
    entries     a sorted list of the names in a folder; only in ``after``

Missing parent folders are created. In ``after``, ``content``, ``hex`` and ``bytes`` follow links,
so that ``{link: a, content: x}`` describes a link and the file it leads to.

Variables in the texts of a case are written ``$NAME`` or ``${NAME}``. ``$TMP`` is a folder of the
case's own; the module that runs the cases lists the others.
"""

import os
import re
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

if sys.platform != "win32":
    import grp
    import pwd

Shape: TypeAlias = "str | Mapping[str, str | bool | Sequence[str]]"
"""What a case declares for a path."""

KINDS = ("content", "hex", "bytes", "folder", "fifo", "link", "hardlink", "missing")
CREATED = {*KINDS, "mode"} - {"missing"}

VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def create(folder: Path, declared: Mapping[str, Shape]) -> None:
    """Create the files that a case declares, in their order.

    Raises:
        ValueError: A shape cannot be created.
    """
    for name, shape in declared.items():
        _create(folder, folder / name, _keys(name, shape))


def compare(folder: Path, declared: Mapping[str, Shape]) -> None:
    """Assert that all declared paths have their shape.

    Raises:
        ValueError: A shape cannot be compared.
    """
    for name, shape in declared.items():
        for key, wanted in _keys(name, shape).items():
            if key not in OBSERVED:
                raise ValueError(f"{name}: the key {key!r} cannot be compared")
            actual = OBSERVED[key](folder / name)
            if isinstance(actual, tuple):  # all the names that a user or a group has
                actual = wanted if wanted in actual else actual
            assert (name, key, actual) == (name, key, wanted)


def substitute(value: object, variables: Mapping[str, str]) -> object:
    """Return ``value`` with the variables replaced in all its texts; other names are kept."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), value)
    if isinstance(value, list):
        return [substitute(entry, variables) for entry in value]
    if isinstance(value, dict):
        return {substitute(key, variables): substitute(v, variables) for key, v in value.items()}
    return value


def _keys(name: str, shape: Shape) -> dict[str, str | list[str]]:
    """Return the keys of a shape, with YAML's ``true`` as text.

    Raises:
        ValueError: The shape is empty, or a value is not a text, ``true`` or a list of texts.
    """
    keys: dict[str, str | list[str]] = {}
    for key, value in ({"content": shape} if isinstance(shape, str) else shape).items():
        if isinstance(value, str):
            keys[key] = value
        elif value is True:
            keys[key] = "true"
        elif isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            keys[key] = value
        else:
            raise ValueError(f"{name}: the value of {key!r} is not a text: {value!r}")
    if not keys:
        raise ValueError(f"{name}: the shape is empty")
    return keys


def _create(folder: Path, path: Path, keys: Mapping[str, str | list[str]]) -> None:
    kinds = [key for key in KINDS if key in keys]
    if len(kinds) != 1 or not keys.keys() <= CREATED:
        raise ValueError(f"{path.name}: {sorted(keys)} cannot be created")
    value = str(keys[kinds[0]])
    path.parent.mkdir(parents=True, exist_ok=True)
    match kinds[0]:
        case "content":
            path.write_bytes(value.encode())
        case "hex":
            path.write_bytes(bytes.fromhex(value))
        case "bytes":
            with path.open("wb") as file:
                file.truncate(int(value))
        case "folder":
            path.mkdir(exist_ok=True)
        case "fifo":
            os.mkfifo(path)
        case "link":
            path.symlink_to(value)
        case "hardlink":
            path.hardlink_to(folder / value)
    if "mode" in keys:
        path.chmod(int(str(keys["mode"]), 8))


def _owner_names(path: Path) -> tuple[str, ...]:
    """Return the number of the owning user, and its name if it has one."""
    number = path.lstat().st_uid
    try:
        return str(number), pwd.getpwuid(number).pw_name
    except KeyError:
        return (str(number),)


def _group_names(path: Path) -> tuple[str, ...]:
    """Return the number of the owning group, and its name if it has one."""
    number = path.lstat().st_gid
    try:
        return str(number), grp.getgrgid(number).gr_name
    except KeyError:
        return (str(number),)


def _as_text(holds: bool) -> str:  # noqa: FBT001 - the value to convert
    return "true" if holds else "false"


OBSERVED: dict[str, Callable[[Path], object]] = {
    "content": lambda path: path.read_bytes().decode(),
    "hex": lambda path: path.read_bytes().hex(),
    "bytes": lambda path: str(path.stat().st_size),
    "folder": lambda path: _as_text(path.is_dir() and not path.is_symlink()),
    "fifo": lambda path: _as_text(path.is_fifo()),
    "link": lambda path: str(path.readlink()),
    "missing": lambda path: _as_text(not os.path.lexists(path)),
    "mode": lambda path: f"{stat.S_IMODE(path.lstat().st_mode):04o}",
    "owner": _owner_names,
    "group": _group_names,
    "entries": lambda path: sorted(os.listdir(path)),
}
