"""The cache of toolchain layers: each is built once, kept whole, and checked before it is used.

A layer is a folder ``<cache>/<name>-<key>`` with ``content/`` and ``manifest.json``. The key is a
hash over everything that went in: the code of the recipe, its stated inputs (versions, hashes), and
the keys of the layers it needs. The content is made in a scratch folder beside it and renamed into
place when it is complete, so that an interrupted build leaves no entry. The manifest has the hash
of every file: an entry that no longer fits is removed and built again. A lock per layer lets two
builds at a time share the cache.
"""

import ast
import fcntl
import hashlib
import inspect
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Final, NamedTuple

from awstoe_build import programs
from awstoe_build.failure import BuildFailure

_MANIFEST: Final = "manifest.json"
_CONTENT: Final = "content"


class Workshop:
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
    build: Callable[[Workshop], None]


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

    def missing(self, recipes: Sequence[Recipe]) -> list[Recipe]:
        """What would have to be built to have all of ``recipes``, in that order, each once."""
        found: dict[str, Recipe] = {}
        for recipe in recipes:
            if not os.path.isdir(self._place(recipe)):
                for need in self.missing(recipe.needs):
                    found.setdefault(self._place(need), need)
                found.setdefault(self._place(recipe), recipe)
        return list(found.values())

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
        workshop = Workshop(content, scratch, needs, self._say)
        self._say(f"  {recipe.name}: building; its log is {workshop.log}")
        started = time.monotonic()
        recipe.build(workshop)
        facts = {"inputs": dict(recipe.inputs), "files": _hashes(content)}
        with open(os.path.join(entry, _MANIFEST), "w", encoding="utf-8") as stream:
            json.dump(facts, stream, indent=1, sort_keys=True)
        os.rename(entry, place)
        shutil.rmtree(scratch, ignore_errors=True)
        self._say(f"  {recipe.name}: done in {time.monotonic() - started:.0f} s")

    def _remove_left_over(self) -> None:
        """Remove what failed and interrupted builds left, unless somebody is at it."""
        folder = os.path.join(self.folder, "scratch")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            with open(os.path.join(self.folder, "locks", name), "w", encoding="utf-8") as stream:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        folder = os.path.join(self.folder, "locks")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"  {name}: waiting for another build that is at it")
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield


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
