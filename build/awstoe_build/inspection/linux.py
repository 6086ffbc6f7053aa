"""Checks what the ELF files in an executable require: the processor, glibc and libraries."""

from collections.abc import Mapping
from typing import Final

from awstoe_build import archive
from awstoe_build.inspection import bundle, elf
from awstoe_build.inspection.binaries import BOOTLOADER, Binaries, Binary
from awstoe_build.targets import GLIBC_FLOOR, Glibc, Target

_SYSTEM: Final = (
    *("ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2", "ld-linux.so.2"),
    *("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
)
"""The files of the C library, which every machine has."""


def binaries(data: bytes, parts: bundle.Bundle, target: Target, name: str) -> Binaries:
    """Check all ELF files.

    Args:
        data: The executable.
        parts: The parts of the executable.
        target: The target of the executable.
        name: The executable's name for messages.

    Raises:
        BuildFailure: An ELF file is damaged.
    """
    facts = {BOOTLOADER: elf.read(data, name)}
    sizes = {BOOTLOADER: len(data) - parts.archived}
    for entry, content in parts.files.items():
        if content.startswith(elf.MAGIC):
            facts[entry] = elf.read(content, entry)
            sizes[entry] = len(content)
    problems = misnamed(facts)
    for entry, each in facts.items():
        if (each.bits, each.machine) != target.elf:
            problems.append(f"{entry} is for another processor than that of {target.name}")
        if each.glibc > GLIBC_FLOOR:
            problems.append(
                f"{entry} needs GLIBC_{_version(each.glibc)}, newer than {_version(GLIBC_FLOOR)}"
            )
        problems += [
            f"{entry} needs {library}, which is not in the executable"
            for library in each.needed
            if library not in parts.files and library not in _SYSTEM
        ]
    return Binaries(
        kind="ELF",
        all=tuple(
            Binary(entry, sizes[entry], f"GLIBC_{_version(each.glibc)}", each.glibc)
            for entry, each in facts.items()
        ),
        modules=tuple(archive.module(entry) for entry in parts.files if entry.endswith(".so")),
        problems=tuple(problems),
    )


def misnamed(facts: Mapping[str, elf.Elf]) -> list[str]:
    """Return the problems with the libraries' own names (sonames).

    ``inside/late_loading.py`` loads libraries by path. The dynamic loader gives such a library to
    others that need its soname. If they needed it by another name, they would get the machine's.
    """
    needed = {library for each in facts.values() for library in each.needed}
    return [
        f"{name} has the soname {facts[name].soname or '(none)'}, so it would not be found"
        for name in sorted(needed & facts.keys())
        if facts[name].soname != name
    ]


def _version(version: Glibc) -> str:
    return f"{version[0]}.{version[1]}"
