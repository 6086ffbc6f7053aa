"""Inspects a built file: everything inside that could keep it from running elsewhere.

Pure: from the file's bytes to a report and a list of problems. A problem ends the build. What a
program's binaries ask of the machine is read by ``inspection_linux`` and ``inspection_windows``.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from awstoe_build.inspection import bundle, linux, windows
from awstoe_build.inspection.binaries import Binaries
from awstoe_build.targets import MEGABYTE, System, Target

NEVER_INSIDE: Final = ("awstoe_build", "awstoe_dev", "awstoe_release", "awstoe_signing", "tests")
"""Tooling, which no user may get."""


class Report(NamedTuple):
    """What was found in a file."""

    target: Target
    size: int
    binaries: Binaries
    modules: int
    problems: tuple[str, ...]

    def lines(self) -> list[str]:
        """The report for a person: one line per binary, the most demanding first."""
        shown = sorted(self.binaries.all, key=lambda each: (each.rank, each.size), reverse=True)
        table = [f"    {each.needs:11} {each.size:>9,}  {each.name}" for each in shown]
        return [
            f"  {self.target.name}: {self.size / MEGABYTE:.2f} MB of"
            f" {self.target.size_budget / MEGABYTE:.0f}, {len(shown)} {self.binaries.kind} files,"
            f" {self.modules} modules, needs at most {shown[0].needs}",
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
    found = _binaries(data, parts, target, name)
    problems = [
        *found.problems,
        *_leaks(contents, host_paths),
        *_modules({*parts.modules, *found.modules}, [*unwanted, *NEVER_INSIDE], wanted),
    ]
    if len(data) > target.size_budget:
        problems.append(
            f"it has {len(data):,} bytes, more than the budget of {target.size_budget:,}"
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
            f"{name} has the build machine's path {path} in it"
            for name, content in contents.items()
            if any(form in content for form in forms)
        ]
    return found


def _modules(names: set[str], unwanted: Sequence[str], wanted: Sequence[str]) -> list[str]:
    inside = [
        f"the unwanted module {name} is in it"
        for name in sorted(names)
        if any(name == each or name.startswith(each + ".") for each in unwanted)
    ]
    missing = [f"the module {name} is not in it" for name in wanted if name not in names]
    return inside + missing
