"""Arranges what PyInstaller found, while it freezes: for the target, and for a quick start.

``awstoe.spec`` calls this under the interpreter that freezes. Two things are done here that
PyInstaller does not do:

- It finds libraries of the machine that it runs on. They are replaced by their counterparts in the
  target's own layers, so that no other interpreter than this machine's has to run.
- It unpacks everything at every start. Here, a file that only some module needs goes into the
  archive of modules, with a note of what that module needs. ``inside/late_loading.py`` unpacks it
  when the module is imported. The base library, a file too, keeps only what the interpreter loads
  before it can read that archive.
"""

import marshal
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from awstoe_build.inspection import elf, pe

Entry = tuple[str, str, str]
"""PyInstaller's: the name in the program, the path of the file, the kind."""

NOTE: Final = "late:"
"""How the name of a note begins, in the archive of modules; the module's name follows."""
FILE: Final = "late/"
"""How the name of a file begins there."""
_MODULE: Final = 0
_PACKAGE: Final = 1
_DATA: Final = 2
"""PyInstaller's numbers for what an entry is; data are no module."""
_HEADER: Final = 16
"""The bytes before the code in a compiled file."""
_HEAD: Final = struct.Struct("!4s4si")


class Late(NamedTuple):
    """The files that are unpacked when they are needed."""

    entries: tuple[Entry, ...]
    notes: Mapping[str, tuple[str, tuple[str, ...]]]
    """By module: the file that it is, empty if it is in the archive anyway, and all it needs."""


def for_target(entries: Iterable[Entry], counterparts: Mapping[str, str]) -> list[Entry]:
    """Replace what was found by what the target has.

    Args:
        entries: Libraries and extension modules for the machine that freezes.
        counterparts: Words in their paths, and what the target has in their place: folders of
            layers, which begin with a slash, and what the names of extension modules have in them.

    Raises:
        ValueError: The target lacks a file, or one was found outside of the known folders.
    """
    folders = tuple(each + "/" for each in counterparts if each.startswith("/"))
    replaced = []
    for name, path, kind in entries:
        if not path.startswith(folders):
            raise ValueError(f"{path} is of no layer: it must not get into the program")
        new_name, new = name, path
        for here, there in counterparts.items():
            new_name, new = new_name.replace(here, there), new.replace(here, there)
        if not os.path.exists(new):
            raise ValueError(f"{new} is not there, the counterpart of {path}")
        replaced.append((new_name, new, kind))
    return replaced


def split(
    entries: Iterable[Entry],
    *,
    at_start: Sequence[str],
    packages: Iterable[str],
    needed: Callable[[str], Iterable[str]],
) -> tuple[list[Entry], Late]:
    """Part what is unpacked at every start from what is unpacked late.

    Args:
        entries: Libraries, extension modules and data.
        at_start: The names that stay as they are; a name without folders and endings is a module's.
        packages: All packages, by full name.
        needed: The libraries that the library at a path asks for, by name.

    Raises:
        ValueError: A file belongs to no package: nothing would ever unpack it. Or what is unpacked
            at the start needs a library that is not.
    """
    known = set(packages)
    now, late = [], {}
    for entry in entries:
        name = entry[0]
        if name in at_start or module(name) in at_start:
            now.append(entry)
        else:
            late[name] = entry
    for name, path, kind in now:
        if kind != "DATA" and (missing := _libraries(path, late, needed)):
            raise ValueError(f"{name} is there from the start and needs {', '.join(missing)}")
    notes: dict[str, tuple[str, tuple[str, ...]]] = {}
    data: dict[str, list[str]] = {}
    for name, (_, path, kind) in late.items():
        if kind == "EXTENSION":
            notes[module(name)] = (name, (*_libraries(path, late, needed), name))
        elif kind == "DATA":
            data.setdefault(_package(name, known), []).append(name)
    for package, names in data.items():
        notes[package] = ("", tuple(sorted(names)))
    mentioned = {name for _, names in notes.values() for name in names}
    for name in set(late) - mentioned:
        raise ValueError(f"no module needs {name}: nothing would unpack it")
    return now, Late(tuple(sorted(late.values())), notes)


def part_base_library(path: str, at_start: Iterable[str]) -> dict[str, bytes]:
    """Leave only some files in the base library, written the same at every build.

    Args:
        path: The base library. It is written anew.
        at_start: The names of the files that stay.

    Returns:
        The compiled modules that were in it, those that stay too, by the names of their files.

    Raises:
        KeyError: It lacks one that stays.
    """
    with zipfile.ZipFile(path) as library:
        files = {name: library.read(name) for name in sorted(library.namelist())}
    with zipfile.ZipFile(path, "w") as library:  # not compressed here: all of it will be
        for name in at_start:
            library.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name])
    return {name: data for name, data in files.items() if name.endswith(".pyc")}


def append(
    archive: str, late: Late, read: Callable[[str], bytes], base: Mapping[str, bytes]
) -> None:
    """Put files and notes into the archive of modules, and modules.

    Args:
        archive: Its path. It is written anew.
        late: What is put in.
        read: Gives the content of the file at a path.
        base: Compiled modules that are put in, by the names of their files.

    Raises:
        ValueError: It is no archive of modules.
    """
    before = content(archive)
    magic, version, place = _HEAD.unpack_from(before)
    if magic != b"PYZ\0":
        raise ValueError(f"{archive} is no archive of modules")
    table = marshal.loads(before[place:])  # noqa: S302 - written a moment ago
    body = [before[_HEAD.size : place]]
    end = place
    added = [(FILE + name, _DATA, read(path)) for name, path, _ in late.entries]
    added += [
        (NOTE + name, _DATA, marshal.dumps(note)) for name, note in sorted(late.notes.items())
    ]
    added += [(*_compiled(name), data[_HEADER:]) for name, data in sorted(base.items())]
    for name, kind, data in added:
        packed = zlib.compress(data, 9)
        table.append((name, (kind, end, len(packed))))
        body.append(packed)
        end += len(packed)
    with open(archive, "wb") as stream:
        stream.write(_HEAD.pack(magic, version, end))
        stream.writelines(body)
        stream.write(marshal.dumps(table))


def module(name: str) -> str:
    """The full name of the extension module in a file: its folder counts inside of packages."""
    stem = name.replace("\\", "/").removesuffix(".so").removesuffix(".pyd")
    for tag in (".cpython-", ".cp3", ".abi3"):
        stem = stem.partition(tag)[0]
    return stem.rpartition("lib-dynload/")[2].replace("/", ".")


def _compiled(file: str) -> tuple[str, int]:
    """The full name of the module in a compiled file, and what it is."""
    name = file.removesuffix(".pyc").replace("/", ".")
    package = name.removesuffix(".__init__")
    return package, _MODULE if package == name else _PACKAGE


def content(path: str) -> bytes:
    """What is in a file.

    Raises:
        OSError: It cannot be read.
    """
    with open(path, "rb") as stream:
        return stream.read()


def needed(path: str) -> tuple[str, ...]:
    """The libraries that the ELF or PE file at a path asks for, by name.

    Raises:
        BuildFailure: It is neither.
    """
    data = content(path)
    if data.startswith(pe.MAGIC):
        return pe.read(data, path).imports
    return elf.read(data, path).needed


def _libraries(
    path: str, late: Mapping[str, Entry], needed: Callable[[str], Iterable[str]]
) -> list[str]:
    """The libraries among ``late`` that one asks for, those first that others of them need."""
    found: list[str] = []
    # Windows does not care for case, and no two files of a program differ by it alone.
    by_name = {name.lower(): name for name in late}
    for wanted in needed(path):
        name = by_name.get(wanted.lower(), "")
        if name and name not in found:
            below = [each for each in _libraries(late[name][1], late, needed) if each not in found]
            found += [*below, name]
    return found


def _package(name: str, packages: set[str]) -> str:
    """The innermost package that a data file lies in.

    Raises:
        ValueError: It lies in none.
    """
    folder = os.path.dirname(name.replace("\\", "/"))
    while folder:
        if folder.replace("/", ".") in packages:
            return folder.replace("/", ".")
        folder = os.path.dirname(folder)
    raise ValueError(f"{name} lies in no package: nothing would unpack it")
