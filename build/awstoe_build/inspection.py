"""Inspects a built file: everything inside that could keep it from running elsewhere.

Pure: from the file's bytes to a report and a list of problems. A problem ends the build.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from awstoe_build import bundle, cpython, elf
from awstoe_build.targets import GLIBC_FLOOR, MEGABYTE, Target

NEVER_INSIDE: Final = ("awstoe_build", "awstoe_dev", "awstoe_release", "awstoe_signing", "tests")
"""Tooling, which no user may get."""
_EXTENSIONS: Final = f"python{cpython.VERSION}/lib-dynload/"
"""Where the standard library's extension modules are unpacked to."""


class Binary(NamedTuple):
    """One ELF file of the program."""

    name: str
    size: int
    facts: elf.Elf


class Report(NamedTuple):
    """What was found in a file."""

    target: Target
    size: int
    binaries: tuple[Binary, ...]
    modules: int
    problems: tuple[str, ...]

    def lines(self) -> list[str]:
        """The report for a person: one line per ELF file, the most demanding first."""
        shown = sorted(self.binaries, key=lambda each: (each.facts.glibc, each.size), reverse=True)
        table = [
            f"    GLIBC_{_version(each.facts.glibc):5} {each.size:>9,}  {each.name}"
            for each in shown
        ]
        highest = max((each.facts.glibc for each in self.binaries), default=(0, 0))
        return [
            f"  {self.target.name}: {self.size / MEGABYTE:.2f} MB of"
            f" {self.target.size_budget / MEGABYTE:.0f}, {len(self.binaries)} ELF files,"
            f" {self.modules} modules, needs at most GLIBC_{_version(highest)}",
            *table,
            *(f"  problem: {problem}" for problem in self.problems),
        ]


def inspect(
    data: bytes,
    target: Target,
    *,
    name: str,
    unwanted: Sequence[str],
    wanted: Sequence[str],
    host_paths: Sequence[str],
) -> Report:
    """Inspect a built file.

    Args:
        data: Its content.
        target: What it is for.
        name: What to call it in messages.
        unwanted: Modules that must not be in it, packages with all that is in them.
        wanted: Modules that must be in it.
        host_paths: Folders of the build machine that must not be named in it.

    Raises:
        BuildFailure: It is no frozen program at all.
    """
    parts = bundle.read(data, name)
    contents = {"(the file itself)": data, **parts.files, **parts.scripts, **parts.modules}
    binaries = [Binary("(boot loader)", len(data) - parts.archived, elf.read(data, name))]
    for entry, content in parts.files.items():
        if content.startswith(elf.MAGIC):
            binaries.append(Binary(entry, len(content), elf.read(content, entry)))
    problems = [
        *_demands(binaries, target),
        *_leaks(contents, host_paths),
        *_modules(parts, [*unwanted, *NEVER_INSIDE], wanted),
    ]
    if len(data) > target.size_budget:
        problems.append(
            f"it has {len(data):,} bytes, more than the budget of {target.size_budget:,}"
        )
    return Report(target, len(data), tuple(binaries), len(parts.modules), tuple(problems))


def _demands(binaries: Sequence[Binary], target: Target) -> list[str]:
    found = []
    for each in binaries:
        if (each.facts.bits, each.facts.machine) != target.elf:
            found.append(f"{each.name} is for another machine than {target.name}")
        if each.facts.glibc > GLIBC_FLOOR:
            found.append(
                f"{each.name} needs GLIBC_{_version(each.facts.glibc)},"
                f" above the floor of {_version(GLIBC_FLOOR)}"
            )
    return found


def _leaks(contents: dict[str, bytes], host_paths: Sequence[str]) -> list[str]:
    return [
        f"{name} has the build machine's path {path} in it"
        for name, content in contents.items()
        for path in host_paths
        if path.encode() in content
    ]


def _modules(parts: bundle.Bundle, unwanted: Sequence[str], wanted: Sequence[str]) -> list[str]:
    extensions = {
        name.removeprefix(_EXTENSIONS).partition(".cpython-")[0].replace("/", ".")
        for name in parts.files
        if name.endswith(".so")
    }
    names = {*parts.modules, *extensions}
    inside = [
        f"the unwanted module {name} is in it"
        for name in sorted(names)
        if any(name == each or name.startswith(each + ".") for each in unwanted)
    ]
    missing = [f"the module {name} is not in it" for name in wanted if name not in names]
    return inside + missing


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
