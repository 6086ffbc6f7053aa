"""Inspects an executable for everything that could keep it from running on another machine.

The functions here are pure: from the bytes of the executable to a report with a list of problems.
Any problem stops the build. ``linux.py`` and ``windows.py`` read what the binaries in it require.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from awstoe_build.inspection import bundle, linux, windows
from awstoe_build.inspection.binaries import Binaries
from awstoe_build.targets import MEGABYTE, System, Target

NEVER_INSIDE: Final = ("awstoe_build", "awstoe_dev", "awstoe_release", "awstoe_signing", "tests")
"""The tooling, which must never be in an executable."""


class Report(NamedTuple):
    """The result of an inspection."""

    target: Target
    size: int
    binaries: Binaries
    modules: int
    problems: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the report as text: a summary, then a line per binary, highest version first."""
        ranked = sorted(self.binaries.all, key=lambda each: (each.rank, each.size), reverse=True)
        table = [f"    {each.needs:11} {each.size:>9,}  {each.name}" for each in ranked]
        return [
            f"  {self.target.name}: {self.size / MEGABYTE:.2f} MB of"
            f" {self.target.size_budget / MEGABYTE:.0f}, {len(ranked)} {self.binaries.kind} files,"
            f" {self.modules} modules, needs {ranked[0].needs}",
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
    """Inspect an executable.

    Args:
        data: Its content.
        target: Its target.
        name: Its name for messages.
        unwanted: Modules and whole packages that must not be in it.
        wanted: Modules that must be in it.
        host_paths: Folders of the build machine, whose paths must not be in it.

    Raises:
        BuildFailure: It is not a frozen program, or a part of it is damaged.
    """
    parts = bundle.read(data, name)
    contents = {"(the file itself)": data, **parts.files, **parts.scripts, **parts.modules}
    found = _binaries(data, parts, target, name)
    problems = [
        *found.problems,
        *_leaks(contents, host_paths),
        *_modules({*parts.modules, *found.modules}, [*unwanted, *NEVER_INSIDE], wanted),
    ]
    if len(data) > target.size_budget:
        problems.append(
            f"the executable has {len(data):,} bytes, more than the budget of"
            f" {target.size_budget:,}"
        )
    return Report(target, len(data), found, len(parts.modules), tuple(problems))


def _binaries(data: bytes, parts: bundle.Bundle, target: Target, name: str) -> Binaries:
    match target.system:
        case System.LINUX:
            return linux.binaries(data, parts, target, name)
        case System.WINDOWS:
            return windows.binaries(data, parts, name)


def _leaks(contents: dict[str, bytes], host_paths: Sequence[str]) -> list[str]:
    found = []
    for path in host_paths:
        forms = {
            form.encode(encoding)
            for form in (path, path.replace("/", "\\"), path.replace("\\", "/"))
            for encoding in ("utf-8", "utf-16-le")
        }
        found += [
            f"{name} contains the build machine's path {path}"
            for name, content in contents.items()
            if any(form in content for form in forms)
        ]
    return found


def _modules(names: set[str], unwanted: Sequence[str], wanted: Sequence[str]) -> list[str]:
    inside = [
        f"the executable contains the unwanted module {name}"
        for name in sorted(names)
        if any(name == each or name.startswith(each + ".") for each in unwanted)
    ]
    missing = [f"the module {name} is missing" for name in wanted if name not in names]
    return inside + missing
