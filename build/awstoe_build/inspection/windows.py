"""Checks what the PE files in an executable require: processor, Windows version and libraries."""

from typing import Final

from awstoe_build.inspection import bundle, pe
from awstoe_build.inspection.binaries import BOOTLOADER, Binaries, Binary

_NEWEST: Final = (10, 0)
"""The version that PE files use for Windows 10, Windows Server 2016 and all later releases."""
_WINDOWS: Final = frozenset(
    f"{name}.dll"
    for name in (
        *("advapi32", "bcrypt", "bcryptprimitives", "comctl32", "crypt32", "gdi32", "iphlpapi"),
        *("kernel32", "ntdll", "ole32", "oleaut32", "rpcrt4", "shell32", "user32", "version"),
        *("ws2_32",),
    )
)
"""Libraries that every Windows has."""
_WINDOWS_SETS: Final = ("api-ms-win-", "ext-ms-win-")
"""Prefixes of names that Windows maps to its own libraries; since Windows 10 also the C library's.
"""
_IN_MANIFEST: Final = {
    "longPathAware": "paths longer than 260 characters would fail",
    "activeCodePage": "text would not be UTF-8",
    "asInvoker": "Windows could run it with more rights than the caller's",
    "supportedOS": "Windows would not report its true version",
}
"""Words that must be in the manifest, each with what would happen without it."""


def binaries(data: bytes, parts: bundle.Bundle, name: str) -> Binaries:
    """Check all PE files.

    Args:
        data: The executable.
        parts: The parts of the executable.
        name: The executable's name for messages.

    Raises:
        BuildFailure: A PE file is damaged.
    """
    facts = {BOOTLOADER: pe.read(data, name)}
    sizes = {BOOTLOADER: len(data) - parts.archived}
    for entry, content in parts.files.items():
        if content.startswith(pe.MAGIC):
            facts[entry] = pe.read(content, entry)
            sizes[entry] = len(content)
    inside = {entry.replace("\\", "/").rpartition("/")[2].lower() for entry in facts}
    problems = [
        problem for entry, each in facts.items() for problem in _demands(entry, each, inside)
    ]
    program = facts[BOOTLOADER]
    if not program.has_version:
        problems.append("the executable has no version resource")
    problems += [
        f"the manifest has no {word}: {effect}"
        for word, effect in _IN_MANIFEST.items()
        if word not in program.manifest
    ]
    return Binaries(
        kind="PE",
        all=tuple(
            Binary(entry, sizes[entry], "Windows {}.{}".format(*each.windows), each.windows)
            for entry, each in facts.items()
        ),
        modules=tuple(
            entry.replace("\\", "/").removesuffix(".pyd").partition(".cp3")[0].replace("/", ".")
            for entry in parts.files
            if entry.endswith(".pyd")
        ),
        problems=tuple(problems),
    )


def _demands(entry: str, facts: pe.Pe, inside: set[str]) -> list[str]:
    found = []
    if facts.machine != pe.AMD64:
        found.append(f"{entry} is for another processor than 64-bit x86")
    if facts.windows > _NEWEST:
        found.append("{} needs Windows {}.{}".format(entry, *facts.windows))
    return found + [
        f"{entry} needs {library}, which is neither in the executable nor part of Windows"
        for library in facts.imports
        if library not in inside | _WINDOWS and not library.startswith(_WINDOWS_SETS)
    ]
