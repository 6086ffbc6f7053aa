"""The cache of toolchain layers: each is built once, kept whole, and checked before it is used.

A layer is a folder ``<cache>/<name>-<key>`` with ``content/`` and ``manifest.json``. The key is a
hash over everything that went in: the code of the recipe, its stated inputs (versions, hashes), and
the keys of the layers it needs. The content is made in a scratch folder beside it and renamed into
place when it is complete, so that an interrupted build leaves no entry. The manifest has the hash
of every file: an entry that no longer fits is removed and built again. A lock per layer lets two
builds at a time share the cache.
"""

import ast
import hashlib
import inspect
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Final, NamedTuple

from awstoe.errors import HostError
from awstoe.host.files.locks import acquire
from awstoe.host.files.renaming import rename
from awstoe_build import programs
from awstoe_build.failure import BuildFailure

_MANIFEST: Final = "manifest.json"
_CONTENT: Final = "content"
UNUSED_DAYS: Final = 30
"""For how long a layer of an earlier recipe is kept after its last use."""
_POLL: Final = 0.2
"""Seconds between two looks at a lock that another build has."""


class LayerBuild:
    """What a recipe works with: where to put the result, where to work, what it needs, a log."""

    __slots__ = ("content", "log", "needs", "say", "scratch")

    def __init__(
        self, content: str, scratch: str, needs: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.content = content
        self.scratch = scratch
        self.needs = needs
        self.say = say
        self.log = os.path.join(scratch, "log")

    def run(
        self,
        *command: str,
        folder: str,
        environment: Mapping[str, str],
        hint: str = "",
    ) -> None:
        """Run a program, its output into the layer's log.

        Raises:
            BuildFailure: It failed.
        """
        programs.run(command, folder=folder, environment=environment, log=self.log, hint=hint)

    def step(self, text: str) -> None:
        """Tell the person at the terminal what happens next."""
        self.say(f"      {text}")


class Recipe(NamedTuple):
    """How one layer is made."""

    name: str
    """The start of its folder's name; also how the layers that need it call it."""
    module: ModuleType
    """The module it stands in: a change of its code is a change of the layer."""
    inputs: Mapping[str, str]
    """What else decides about the result, by name: versions, hashes, the target."""
    needs: tuple["Recipe", ...]
    build: Callable[[LayerBuild], None]


def fingerprint(module: ModuleType) -> str:
    """A hash of what a module does; its comments, docstrings and layout do not count."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [each for each in body if not _is_text(each)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined] # every kind of body
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def key(recipe: Recipe) -> str:
    """The hash over everything that decides about a layer's content."""
    facts = {
        "name": recipe.name,
        "recipe": fingerprint(recipe.module),
        "inputs": dict(sorted(recipe.inputs.items())),
        "needs": {need.name: key(need) for need in recipe.needs},
    }
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Cache:
    """The folder with the finished layers."""

    def __init__(self, folder: str, say: Callable[[str], None]) -> None:
        self.folder = folder
        self._say = say
        self._checked: set[str] = set()
        self._expected = 0
        self._built = 0

    def missing(self, recipes: Sequence[Recipe]) -> list[Recipe]:
        """What would have to be built to have all of ``recipes``, in that order, each once."""
        found: dict[str, Recipe] = {}
        for recipe in recipes:
            if not os.path.isdir(self._place(recipe)):
                for need in self.missing(recipe.needs):
                    found.setdefault(self._place(need), need)
                found.setdefault(self._place(recipe), recipe)
        return list(found.values())

    def expect(self, count: int) -> None:
        """Tell how many layers will be built, for the progress that is said."""
        self._expected, self._built = count, 0

    def obtain(self, recipe: Recipe) -> str:
        """The folder with a layer's content, built now if it is not there or not whole.

        Raises:
            BuildFailure: The layer cannot be built.
        """
        place = self._place(recipe)
        content = os.path.join(place, _CONTENT)
        if place in self._checked:
            return content
        try:
            os.makedirs(self.folder, exist_ok=True)
            with self._lock(os.path.basename(place)):
                if os.path.isdir(place):
                    problem = damage(place)
                    if problem:
                        self._say(f"{place} is damaged ({problem}): building it again")
                        shutil.rmtree(place)
                if not os.path.isdir(place):
                    self._build(recipe, place)
        except OSError as error:
            raise BuildFailure(
                f"layer {recipe.name} cannot be kept at {place}: {error.strerror or error}",
                hint="mend that and run the same command again: finished layers are kept",
            ) from error
        self._checked.add(place)
        return content

    def _place(self, recipe: Recipe) -> str:
        return os.path.join(self.folder, f"{recipe.name}-{key(recipe)}")

    def _build(self, recipe: Recipe, place: str) -> None:
        needs = {need.name: self.obtain(need) for need in recipe.needs}
        self._remove_left_over()
        scratch = os.path.join(self.folder, "scratch", os.path.basename(place))
        shutil.rmtree(scratch, ignore_errors=True)
        entry = os.path.join(scratch, "entry")
        content = os.path.join(entry, _CONTENT)
        os.makedirs(content)
        workshop = LayerBuild(content, scratch, needs, self._say)
        self._built += 1
        progress = f"[{self._built}/{max(self._built, self._expected)}] "
        self._say(f"  {progress}{recipe.name}: building; its log is {workshop.log}")
        started = time.monotonic()
        recipe.build(workshop)
        facts = {"inputs": dict(recipe.inputs), "files": _hashes(content)}
        with open(os.path.join(entry, _MANIFEST), "w", encoding="utf-8") as stream:
            json.dump(facts, stream, indent=1, sort_keys=True)
        rename(entry, place)
        shutil.rmtree(scratch, ignore_errors=True)
        self._say(f"  {recipe.name}: done in {time.monotonic() - started:.0f} s")
        self._remove_outdated(recipe, place)

    def _remove_outdated(self, recipe: Recipe, place: str) -> None:
        """Remove what earlier recipes of the same layer left, once nobody has used it for weeks.

        Not at once: another work tree may be at another commit. Every use opens the layer's lock.
        """
        oldest = time.time() - UNUSED_DAYS * 24 * 3600
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            lock = os.path.join(self.folder, "locks", name)
            is_same = name.rpartition("-")[0] == recipe.name and path != place
            if is_same and os.path.exists(lock) and os.stat(lock).st_mtime < oldest:
                with self._lock(name):
                    shutil.rmtree(path)
                os.remove(lock)
                self._say(f"  {name}: removed, not used for {UNUSED_DAYS} days")

    def _remove_left_over(self) -> None:
        """Remove what failed and interrupted builds left, unless somebody is at it."""
        folder = os.path.join(self.folder, "scratch")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            descriptor = _acquire(os.path.join(self.folder, "locks", name))
            if descriptor is not None:
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
                os.close(descriptor)

    def _lock(self, name: str) -> AbstractContextManager[None]:
        folder = os.path.join(self.folder, "locks")
        os.makedirs(folder, exist_ok=True)
        return exclusively(os.path.join(folder, name), self._say)


@contextmanager
def exclusively(path: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock while the context lasts; waits for another build that has it.

    Args:
        path: The lock's file, which is made and kept.
        say: Tells that it waits.

    Raises:
        BuildFailure: The file cannot be made.
    """
    descriptor = _acquire(path)
    if descriptor is None:
        say(f"  {os.path.basename(path)}: waiting for another build that is at it")
    while descriptor is None:
        time.sleep(_POLL)
        descriptor = _acquire(path)
    try:
        os.utime(path)  # tells when the layer was used last
        yield
    finally:
        os.close(descriptor)


def _acquire(path: str) -> int | None:
    try:
        return acquire(path)
    except HostError as error:
        raise BuildFailure(str(error), hint=error.hint or "") from error


def damage(place: str) -> str:
    """How a cache entry differs from its manifest, in a few words; empty if it does not."""
    try:
        with open(os.path.join(place, _MANIFEST), encoding="utf-8") as stream:
            expected = json.load(stream)["files"]
        found = _hashes(os.path.join(place, _CONTENT))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"its manifest cannot be read: {error}"
    if not isinstance(expected, dict):
        return "its manifest has no list of files"
    for path in sorted({*expected, *found}):
        if path not in found:
            return f"{path} is missing"
        if path not in expected:
            return f"{path} is not in the manifest"
        if expected[path] != found[path]:
            return f"{path} has changed"
    return ""


def sha256_of(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hashes(folder: str) -> dict[str, str]:
    """Every file below ``folder`` with its hash and whether it can be executed; links by target."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in [*files, *(each for each in folders if os.path.islink(f"{parent}/{each}"))]:
            path = os.path.join(parent, name)
            if os.path.islink(path):
                fact = "link to " + os.readlink(path)
            else:
                mode = "x" if os.stat(path).st_mode & 0o100 else "-"
                fact = f"{mode} {sha256_of(path)}"
            found[os.path.relpath(path, folder)] = fact
    return found


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a text alone, as docstrings are."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
