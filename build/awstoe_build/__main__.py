"""``make toolchain``, ``make build``, ``make build-all`` and ``make verify-build`` start this."""

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
from awstoe_build.failure import BuildFailure
from awstoe_build.inspection import bundle, inspect
from awstoe_build.interpreters import pick
from awstoe_build.targets import Target
from awstoe_build.toolchain.layers import Cache, Recipe, locked, sha256_of

_EVERY: Final = "all"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; gives the exit code."""
    parser = argparse.ArgumentParser(prog="awstoe_build", description=__doc__)
    parser.add_argument("command", choices=["toolchain", "build", "verify"])
    parser.add_argument("--target", default="", help=f"{', '.join(known.TARGETS)} or {_EVERY}")
    parser.add_argument("--file", default="", help="what to verify; that of the target otherwise")
    parser.add_argument("--trust", default="", help="the folder of release trust to bake in")
    options = parser.parse_args(arguments)
    trust = os.path.abspath(options.trust) if options.trust else ""
    try:
        targets = _targets(options.target, options.file)
        cache = Cache(cache_folder(), _say)
        _toolchain(targets, cache)
        if options.command == "toolchain":
            return 0
        for target in targets:
            if options.command == "build":
                _build(target, cache, trust)
            else:
                file = os.path.abspath(options.file or _destination(target))
                _verify(target, cache, file, trust)
    except BuildFailure as failure:
        sys.stderr.write(f"build: {failure.message}\n")
        if failure.hint:
            sys.stderr.write(f"       {failure.hint}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("build: interrupted; finished layers are kept, run it again to go on\n")
        return 130
    return 0


def _targets(name: str, file: str) -> list[Target]:
    """The targets that are asked for; a file to verify lies in the folder of its target."""
    if name == _EVERY:
        return [known.find(each) for each in known.TARGETS]
    if file and not name:
        name = "/".join(os.path.abspath(file).split(os.sep)[-3:-1])
    return [known.find(name)]


def cache_folder() -> str:
    """Where the layers are kept."""
    default = os.path.join(os.path.expanduser("~"), ".cache", "awstoe-build")
    return os.path.abspath(os.environ.get("AWSTOE_BUILD_CACHE") or default)


def _toolchain(targets: Sequence[Target], cache: Cache) -> None:
    """Have all layers, after a look at what the machine lacks."""
    recipes: list[Recipe] = []
    for target in targets:
        recipes += pick.layers(target)
    missing = cache.missing(recipes)
    out = os.path.join(freeze.ROOT, "out")
    prerequisites.check(targets, building=bool(missing), cache=cache.folder, out=out)
    if missing:
        _say(f"toolchain: {len(missing)} layers to build: {', '.join(e.name for e in missing)}")
    cache.expect(len(missing))
    started = time.monotonic()
    for recipe in recipes:
        cache.obtain(recipe)
    _say(f"toolchain: ready in {cache.folder} ({time.monotonic() - started:.0f} s)")


def _build(target: Target, cache: Cache, trust: str) -> None:
    """Make the file of a target, inspect it and put it into ``dist``."""
    started = time.monotonic()
    folder = os.path.join(freeze.ROOT, "out", "build", target.name)
    destination = _destination(target)
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        with locked(folder + ".lock", _say):
            made = _make(target, cache, folder, trust)
            os.makedirs(os.path.dirname(destination), exist_ok=True)
            shutil.copy(made, destination + ".new")
            os.replace(destination + ".new", destination)
    except OSError as error:
        raise BuildFailure(f"{destination} cannot be written: {error.strerror}") from error
    shown = os.path.relpath(destination, freeze.ROOT)
    _say(f"{shown}: sha256 {sha256_of(destination)} ({time.monotonic() - started:.0f} s)")


def _verify(target: Target, cache: Cache, file: str, trust: str) -> None:
    """Make a target's file again elsewhere, and compare.

    Raises:
        BuildFailure: It is another file.
    """
    if not os.path.isfile(file):
        raise BuildFailure(f"{file} is not there", hint="run 'make build' first, or name another")
    made = _make(target, cache, os.path.join(freeze.ROOT, "out", "verify", target.name), trust)
    if not filecmp.cmp(made, file, shallow=False):
        raise BuildFailure(
            f"{file} is not what this tree gives: its SHA-256 is {sha256_of(file)},"
            f" that of {made} is {sha256_of(made)}; {_differences(file, made)}",
            hint="same commit, no changes in the tree, same Debian release (binutils)?",
        )
    _say(f"{file}: made again from this tree, and the same: sha256 {sha256_of(file)}")


def _differences(one: str, other: str) -> str:
    """What differs inside two files, in a few words."""
    parts = []
    for path in (one, other):
        with open(path, "rb") as stream:
            found = bundle.read(stream.read(), path)
        parts.append({**found.files, **found.scripts, **found.modules})
    names = sorted(
        name for name in {*parts[0], *parts[1]} if parts[0].get(name) != parts[1].get(name)
    )
    return f"inside differ: {', '.join(names)}" if names else "what is inside is the same"


def _make(target: Target, cache: Cache, folder: str, trust: str) -> str:
    """Freeze and inspect; gives the path of the file.

    Raises:
        BuildFailure: That failed, or the inspection found a problem.
    """
    made = freeze.freeze(
        target,
        cache,
        folder=folder,
        origin=source_info.read(freeze.ROOT),
        trust=trust,
        say=_say,
    ).file
    with open(made, "rb") as stream:
        data = stream.read()
    report = inspect.inspect(
        data,
        target,
        name=made,
        unwanted=list(selection.EXCLUDED),
        wanted=["awstoe.__main__", *selection.hidden_imports()],
        host_paths=[freeze.ROOT, cache.folder],
    )
    for line in report.lines():
        _say(line)
    if report.problems:
        raise BuildFailure(f"{made} must not be used: {len(report.problems)} problems, see above")
    return made


def _destination(target: Target) -> str:
    return os.path.join(freeze.ROOT, "dist", __version__, target.name, target.program)


def _say(text: str) -> None:
    # A path may have letters that the output's encoding has not.
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


if __name__ == "__main__":
    sys.exit(main())
