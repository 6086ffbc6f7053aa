"""Builds the toolchains and single-file executables, and checks that builds are reproducible."""

import argparse
import filecmp
import os
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Final

from awstoe import __version__
from awstoe_build import freeze, prerequisites, selection, source_info
from awstoe_build import targets as known
from awstoe_build.arguments import parsed
from awstoe_build.failure import BuildFailure, exit_code_of
from awstoe_build.inspection import bundle, inspect
from awstoe_build.interpreters import pick
from awstoe_build.targets import Target
from awstoe_build.toolchain.layers import Cache, Recipe, locked, sha256_of

PROGRAM: Final = "awstoe-build"
_EVERY: Final = "all"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Return the exit code."""
    options = parsed(_parser(), arguments)
    return exit_code_of(
        PROGRAM,
        lambda: _run(options),
        interrupted="finished layers are kept, run the same command again to continue",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument(
        "command",
        choices=["toolchain", "build", "verify"],
        help="toolchain: build the layers that builds need; build: build the executable below"
        " dist/; verify: build it again and compare",
    )
    parser.add_argument(
        "--target",
        default="",
        help=f"{', '.join(known.TARGETS)} or {_EVERY}; default: this machine",
    )
    parser.add_argument(
        "--file", default="", help="the file to verify; default: the target's file below dist/"
    )
    parser.add_argument(
        "--trust", default="", help="the folder with the release trust to include (docs/trust.md)"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    trust = os.path.abspath(options.trust) if options.trust else ""
    targets = _targets(options.target, options.file)
    cache = Cache(cache_folder(), _report)
    _toolchain(targets, cache)
    if options.command == "toolchain":
        return 0
    for target in targets:
        if options.command == "build":
            _build(target, cache, trust)
        else:
            file = os.path.abspath(options.file or _destination(target))
            _verify(target, cache, file, trust)
    return 0


def _targets(name: str, file: str) -> list[Target]:
    """Return the chosen targets. Without a name, the path of the file to verify has its target.

    Raises:
        BuildFailure: There is no such target, or the path does not have it.
    """
    if name == _EVERY:
        return [known.find(each) for each in known.TARGETS]
    if file and not name:
        name = "/".join(os.path.abspath(file).split(os.sep)[-3:-1])
        if name not in known.TARGETS:
            raise BuildFailure(
                f"{file} is not in a folder named after its target",
                hint="name the target: make verify-build TARGET=linux/amd64 FILE=path",
            )
    return [known.find(name)]


def cache_folder() -> str:
    """Return the folder for the layers."""
    default = os.path.join(os.path.expanduser("~"), ".cache", "awstoe-build")
    return os.path.abspath(os.environ.get("AWSTOE_BUILD_CACHE") or default)


def _toolchain(targets: Sequence[Target], cache: Cache) -> None:
    """Check the machine, then build the layers that are missing."""
    recipes: list[Recipe] = []
    for target in targets:
        recipes += pick.layers(target)
    missing = cache.missing(recipes)
    out = os.path.join(freeze.ROOT, "out")
    prerequisites.check(targets, building=bool(missing), cache=cache.folder, out=out)
    if missing:
        _report(f"toolchain: {len(missing)} layers to build: {', '.join(e.name for e in missing)}")
    cache.expect(len(missing))
    started = time.monotonic()
    for recipe in recipes:
        cache.obtain(recipe)
    _report(f"toolchain: ready in {cache.folder} ({time.monotonic() - started:.0f} s)")


def _build(target: Target, cache: Cache, trust: str) -> None:
    """Build the executable of a target, inspect it and copy it to ``dist``."""
    started = time.monotonic()
    folder = os.path.join(freeze.ROOT, "out", "build", target.name)
    destination = _destination(target)
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        with locked(folder + ".lock", _report):
            built = _freeze(target, cache, folder, trust)
            os.makedirs(os.path.dirname(destination), exist_ok=True)
            shutil.copy(built, destination + ".new")
            os.replace(destination + ".new", destination)
    except OSError as error:
        raise BuildFailure(f"cannot write {destination}: {error.strerror}") from error
    name = os.path.relpath(destination, freeze.ROOT)
    _report(f"{name}: sha256 {sha256_of(destination)} ({time.monotonic() - started:.0f} s)")


def _verify(target: Target, cache: Cache, file: str, trust: str) -> None:
    """Build a target's executable again in another folder, and compare it with the file.

    Raises:
        BuildFailure: The file does not exist, or is not identical.
    """
    if not os.path.isfile(file):
        raise BuildFailure(
            f"{file} does not exist",
            hint=f"run 'make build TARGET={target.name}' first, or name another file",
        )
    built = _freeze(target, cache, os.path.join(freeze.ROOT, "out", "verify", target.name), trust)
    if not filecmp.cmp(built, file, shallow=False):
        raise BuildFailure(
            f"{file} differs from a build of this tree: its SHA-256 is {sha256_of(file)},"
            f" that of {built} is {sha256_of(built)}; {_differences(file, built)}",
            hint="check that commit, TRUST and Debian release (binutils) are those of the file,"
            " and that the tree has no changes",
        )
    _report(f"{file}: identical to a new build of this tree: sha256 {sha256_of(file)}")


def _differences(one: str, other: str) -> str:
    """Return which parts of two executables differ, for a message."""
    parts = []
    for path in (one, other):
        with open(path, "rb") as stream:
            found = bundle.read(stream.read(), path)
        parts.append({**found.files, **found.scripts, **found.modules})
    names = sorted(
        name for name in {*parts[0], *parts[1]} if parts[0].get(name) != parts[1].get(name)
    )
    return f"these parts differ: {', '.join(names)}" if names else "all parts inside are the same"


def _freeze(target: Target, cache: Cache, folder: str, trust: str) -> str:
    """Freeze and inspect the executable of a target, and return its path.

    Raises:
        BuildFailure: It cannot be frozen, or the inspection found a problem.
    """
    frozen = freeze.freeze(
        target,
        cache,
        folder=folder,
        origin=source_info.read(freeze.ROOT),
        trust=trust,
        report=_report,
    ).file
    with open(frozen, "rb") as stream:
        data = stream.read()
    report = inspect.inspect(
        data,
        target,
        name=frozen,
        unwanted=list(selection.EXCLUDED),
        wanted=["awstoe.__main__", *selection.hidden_imports()],
        host_paths=[freeze.ROOT, cache.folder],
    )
    for line in report.lines():
        _report(line)
    if report.problems:
        raise BuildFailure(
            f"the inspection of {frozen} found {len(report.problems)} problems, listed above",
            hint="do not use the file",
        )
    return frozen


def _destination(target: Target) -> str:
    return os.path.join(freeze.ROOT, "dist", __version__, target.name, target.program)


def _report(text: str) -> None:
    # A path may contain characters that the output's encoding does not have.
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


if __name__ == "__main__":
    sys.exit(main())
