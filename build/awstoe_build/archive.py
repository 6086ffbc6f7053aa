"""Rearranges what PyInstaller found, for the target and for a fast start.

``awstoe.spec`` calls this module under the interpreter that freezes. It does two things that
PyInstaller does not do:

- PyInstaller finds the libraries of the machine that it runs on. They are replaced by their
  counterparts from the target's layers, so that only this machine's interpreter has to run.
- PyInstaller's bootloader unpacks every file at every start. Here, a file that only some modules
  need is moved to the archive of modules, with a note of the files that each module needs.
  ``inside/late_loading.py`` unpacks them when the module is imported. The base library, which is a
  file too, keeps only what the interpreter loads before it can read that archive.
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
"""An entry of PyInstaller: the name in the program, the path of the file, the kind."""

NOTE: Final = "late:"
"""The prefix for the name of a note in the archive of modules. The module's name follows."""
FILE: Final = "late/"
"""The prefix for the name of a file in the archive of modules."""
_MODULE: Final = 0
_PACKAGE: Final = 1
_DATA: Final = 2
"""PyInstaller's numbers for the kinds of entries."""
_PYC_HEADER: Final = 16
"""The size of what precedes the code in a compiled file."""
_ARCHIVE_HEADER: Final = struct.Struct("!4s4si")


class Late(NamedTuple):
    """The files that are unpacked when a module needs them."""

    entries: tuple[Entry, ...]
    notes: Mapping[str, tuple[str, tuple[str, ...]]]
    """By module: its own file, or an empty string if the archive contains its code, and all files
    that it needs."""


def for_target(entries: Iterable[Entry], counterparts: Mapping[str, str]) -> list[Entry]:
    """Replace libraries and extension modules by the target's.

    Args:
        entries: Libraries and extension modules for the machine that freezes.
        counterparts: Parts of their paths, with the target's replacements: folders of layers, which
            start with a slash, and the tags in the names of extension modules.

    Raises:
        ValueError: The target lacks a file, or an entry is outside the known folders.
    """
    folders = tuple(each + "/" for each in counterparts if each.startswith("/"))
    replaced = []
    for name, path, kind in entries:
        if not path.startswith(folders):
            raise ValueError(f"{path} is in no layer and must not get into the executable")
        new_name, new_path = name, path
        for old, new in counterparts.items():
            new_name, new_path = new_name.replace(old, new), new_path.replace(old, new)
        if not os.path.exists(new_path):
            raise ValueError(f"{new_path}, the counterpart of {path}, does not exist")
        replaced.append((new_name, new_path, kind))
    return replaced


def split(
    entries: Iterable[Entry],
    *,
    at_start: Sequence[str],
    packages: Iterable[str],
    needed: Callable[[str], Iterable[str]],
) -> tuple[list[Entry], Late]:
    """Separate what is unpacked at every start from what is unpacked late.

    Args:
        entries: Libraries, extension modules and data.
        at_start: The names of what is unpacked at every start: files, and modules by full name.
        packages: The full names of all packages.
        needed: Returns the names of the libraries that the library at a path needs.

    Raises:
        ValueError: A file belongs to no module or package, so that it would never be unpacked. Or
            a file that is unpacked at every start needs a library that is unpacked late.
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
            raise ValueError(
                f"{name} is unpacked at every start, but needs {', '.join(missing)}, which is not"
            )
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
        raise ValueError(f"no module needs {name}, so it would never be unpacked")
    return now, Late(tuple(sorted(late.values())), notes)


def reduce_base_library(path: str, at_start: Iterable[str]) -> dict[str, bytes]:
    """Remove all but some files from the base library, reproducibly.

    Args:
        path: The base library. It is overwritten.
        at_start: The names of the files to keep.

    Returns:
        All compiled modules that were in it, including those that are kept, by file name.

    Raises:
        KeyError: A file to keep is not in it.
    """
    with zipfile.ZipFile(path) as library:
        files = {name: library.read(name) for name in sorted(library.namelist())}
    with zipfile.ZipFile(path, "w") as library:  # uncompressed: the executable's archive does that
        for name in at_start:
            library.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name])
    return {name: data for name, data in files.items() if name.endswith(".pyc")}


def append(
    archive: str, late: Late, read: Callable[[str], bytes], base: Mapping[str, bytes]
) -> None:
    """Add files, their notes and the base library's modules to the archive of modules.

    Args:
        archive: The archive's path. It is overwritten.
        late: The files and notes to add.
        read: Returns the content of the file at a path.
        base: The compiled modules to add, by file name.

    Raises:
        ValueError: The file is not an archive of modules.
    """
    before = content(archive)
    magic, version, end = _ARCHIVE_HEADER.unpack_from(before)
    if magic != b"PYZ\0":
        raise ValueError(f"{archive} is not an archive of modules")
    table = marshal.loads(before[end:])  # noqa: S302 - PyInstaller wrote it in this build
    body = [before[_ARCHIVE_HEADER.size : end]]
    added = [(FILE + name, _DATA, read(path)) for name, path, _ in late.entries]
    added += [
        (NOTE + name, _DATA, marshal.dumps(note)) for name, note in sorted(late.notes.items())
    ]
    added += [(*_compiled(name), data[_PYC_HEADER:]) for name, data in sorted(base.items())]
    for name, kind, data in added:
        packed = zlib.compress(data, 9)
        table.append((name, (kind, end, len(packed))))
        body.append(packed)
        end += len(packed)
    with open(archive, "wb") as stream:
        stream.write(_ARCHIVE_HEADER.pack(magic, version, end))
        stream.writelines(body)
        stream.write(marshal.dumps(table))


def module(name: str) -> str:
    """Return the full name of the extension module in a file, with the package from its folder."""
    stem = name.replace("\\", "/").removesuffix(".so").removesuffix(".pyd")
    for tag in (".cpython-", ".cp3", ".abi3"):
        stem = stem.partition(tag)[0]
    return stem.rpartition("lib-dynload/")[2].replace("/", ".")


def _compiled(file: str) -> tuple[str, int]:
    """Return the full name of the module in a compiled file, and its kind."""
    name = file.removesuffix(".pyc").replace("/", ".")
    package = name.removesuffix(".__init__")
    return package, _MODULE if package == name else _PACKAGE


def content(path: str) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: The file cannot be read.
    """
    with open(path, "rb") as stream:
        return stream.read()


def needed(path: str) -> tuple[str, ...]:
    """Return the names of the libraries that the ELF or PE file at a path needs.

    Raises:
        BuildFailure: The file is neither.
    """
    data = content(path)
    if data.startswith(pe.MAGIC):
        return pe.read(data, path).imports
    return elf.read(data, path).needed


def _libraries(
    path: str, late: Mapping[str, Entry], needed: Callable[[str], Iterable[str]]
) -> list[str]:
    """Return the libraries among ``late`` that a library needs, in the order to load them."""
    found: list[str] = []
    # Names on Windows are not case-sensitive, and no two files of a program differ only by case.
    by_name = {name.lower(): name for name in late}
    for library in needed(path):
        name = by_name.get(library.lower(), "")
        if name and name not in found:
            below = [each for each in _libraries(late[name][1], late, needed) if each not in found]
            found += [*below, name]
    return found


def _package(name: str, packages: set[str]) -> str:
    """Return the innermost package that contains a data file.

    Raises:
        ValueError: No package contains it.
    """
    folder = os.path.dirname(name.replace("\\", "/"))
    while folder:
        if folder.replace("/", ".") in packages:
            return folder.replace("/", ".")
        folder = os.path.dirname(folder)
    raise ValueError(f"{name} is in no package, so it would never be unpacked")
