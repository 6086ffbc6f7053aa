"""What the ELF files in a built file ask of a machine: its processor, and a version of glibc."""

from collections.abc import Mapping
from typing import Final

from awstoe_build import archive
from awstoe_build.inspection import bundle, elf
from awstoe_build.inspection.binaries import BOOT_LOADER, Binaries, Binary
from awstoe_build.targets import GLIBC_FLOOR, Glibc, Target

_SYSTEM: Final = (
    *("ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2", "ld-linux.so.2"),
    *("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
)
"""The C library's files, which every machine has."""


def binaries(data: bytes, parts: bundle.Bundle, target: Target, name: str) -> Binaries:
    """Look at all ELF files.

    Args:
        data: The built file.
        parts: What is in it.
        target: What it is for.
        name: What to call it in messages.

    Raises:
        BuildFailure: One of them is damaged.
    """
    facts = {BOOT_LOADER: elf.read(data, name)}
    sizes = {BOOT_LOADER: len(data) - parts.archived}
    for entry, content in parts.files.items():
        if content.startswith(elf.MAGIC):
            facts[entry] = elf.read(content, entry)
            sizes[entry] = len(content)
    problems = misnamed(facts)
    for entry, each in facts.items():
        if (each.bits, each.machine) != target.elf:
            problems.append(f"{entry} is for another machine than {target.name}")
        if each.glibc > GLIBC_FLOOR:
            problems.append(
                f"{entry} needs GLIBC_{_version(each.glibc)},"
                f" above the floor of {_version(GLIBC_FLOOR)}"
            )
        problems += [
            f"{entry} asks for {library}, which is not in the file"
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
    """What is wrong with the libraries' own names.

    They are loaded by their paths (``inside/late_loading.py``). What asks for one then gets it by
    the name that it gives itself; by another name it would get the machine's.
    """
    asked_for = {library for each in facts.values() for library in each.needed}
    return [
        f"{name} calls itself {facts[name].soname or 'nothing'}: it would not be found"
        for name in sorted(asked_for & facts.keys())
        if facts[name].soname != name
    ]


def _version(version: Glibc) -> str:
    return f"{version[0]}.{version[1]}"
