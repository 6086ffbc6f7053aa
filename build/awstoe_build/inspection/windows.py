"""What the PE files in a built file ask of a machine: processor, version, libraries of Windows."""

from typing import Final

from awstoe_build.inspection import bundle, pe
from awstoe_build.inspection.binaries import BOOT_LOADER, Binaries, Binary

_NEWEST: Final = (10, 0)
"""The version that all Windows since 10 and Server 2016 call themselves in this place."""
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
"""How the names of libraries begin that Windows maps to its own; the C library's since 10."""
_IN_MANIFEST: Final = {
    "longPathAware": "paths longer than 260 characters",
    "activeCodePage": "UTF-8",
    "asInvoker": "running without more rights than the caller's",
    "supportedOS": "being told the true version of Windows",
}


def binaries(data: bytes, parts: bundle.Bundle, name: str) -> Binaries:
    """Look at all PE files.

    Args:
        data: The built file.
        parts: What is in it.
        name: What to call it in messages.

    Raises:
        BuildFailure: One of them is damaged.
    """
    facts = {BOOT_LOADER: pe.read(data, name)}
    sizes = {BOOT_LOADER: len(data) - parts.archived}
    for entry, content in parts.files.items():
        if content.startswith(pe.MAGIC):
            facts[entry] = pe.read(content, entry)
            sizes[entry] = len(content)
    inside = {entry.replace("\\", "/").rpartition("/")[2].lower() for entry in facts}
    problems = [
        problem for entry, each in facts.items() for problem in _demands(entry, each, inside)
    ]
    program = facts[BOOT_LOADER]
    if not program.has_version:
        problems.append("it has no version resource")
    problems += [
        f"its manifest has no {word}: {meaning}"
        for word, meaning in _IN_MANIFEST.items()
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
        found.append(f"{entry} is for another machine than 64-bit x86")
    if facts.windows > _NEWEST:
        found.append("{} needs Windows {}.{}".format(entry, *facts.windows))
    return found + [
        f"{entry} needs {library}, which is neither in it nor part of Windows"
        for library in facts.imports
        if library not in inside | _WINDOWS and not library.startswith(_WINDOWS_SETS)
    ]
