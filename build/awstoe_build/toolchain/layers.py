"""The cache of toolchain layers: builds each layer once and verifies it before every use.

A layer is a folder ``<cache>/<name>-<key>`` with ``content/`` and ``manifest.json``. The key is a
hash of everything that the layer is made from: the code of its recipe, the recipe's inputs
(versions, hashes), and the keys of the layers it needs. The content is built in a scratch folder
and renamed into place when it is complete, so that an interrupted build leaves no entry. The
manifest has the hash of every file: an entry that no longer matches it is removed and built again.
A lock per layer lets two builds share the cache.
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
from awstoe_build import commands
from awstoe_build.failure import BuildFailure

_MANIFEST: Final = "manifest.json"
_CONTENT: Final = "content"
UNUSED_DAYS: Final = 30
"""How long a layer of an earlier recipe is kept after its last use."""
_POLL: Final = 0.2
"""Seconds between two attempts to take a lock that another build holds."""


class LayerBuild:
    """The build of one layer, as its recipe sees it.

    Args:
        content: The folder for the result.
        scratch: The folder to work in.
        needs: The content folders of the layers it needs, by recipe name.
        report: Prints a line of progress.
    """

    __slots__ = ("content", "log", "needs", "report", "scratch")

    def __init__(
        self, content: str, scratch: str, needs: Mapping[str, str], report: Callable[[str], None]
    ) -> None:
        self.content = content
        self.scratch = scratch
        self.needs = needs
        self.report = report
        self.log = os.path.join(scratch, "log")

    def run(
        self,
        *command: str,
        folder: str,
        environment: Mapping[str, str],
        hint: str = "",
    ) -> None:
        """Run a command, with its output in the layer's log.

        Raises:
            BuildFailure: The command failed.
        """
        commands.run(command, folder=folder, environment=environment, log=self.log, hint=hint)

    def step(self, text: str) -> None:
        """Report the step that starts now."""
        self.report(f"      {text}")


class Recipe(NamedTuple):
    """How one layer is built."""

    name: str
    """The start of its folder's name, and its name in the ``needs`` of other layers."""
    module: ModuleType
    """The module that defines it. A change to the module's code changes the layer's key."""
    inputs: Mapping[str, str]
    """What else determines the result, by name: versions, hashes, the target."""
    needs: tuple["Recipe", ...]
    build: Callable[[LayerBuild], None]


def fingerprint(module: ModuleType) -> str:
    """Return a hash of a module's code. Comments, docstrings and layout do not change it."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [each for each in body if not _is_docstring(each)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined] # every kind of body
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def key(recipe: Recipe) -> str:
    """Return the hash of everything that determines a layer's content."""
    facts = {
        "name": recipe.name,
        "recipe": fingerprint(recipe.module),
        "inputs": dict(sorted(recipe.inputs.items())),
        "needs": {need.name: key(need) for need in recipe.needs},
    }
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Cache:
    """The folder with the finished layers.

    Args:
        folder: Its path; it is created when the first layer is built.
        report: Prints a line of progress.
    """

    def __init__(self, folder: str, report: Callable[[str], None]) -> None:
        self.folder = folder
        self._report = report
        self._verified: set[str] = set()
        self._expected = 0
        self._built = 0

    def missing(self, recipes: Sequence[Recipe]) -> list[Recipe]:
        """Return what has to be built to have all of ``recipes``: in build order, each once."""
        found: dict[str, Recipe] = {}
        for recipe in recipes:
            if not os.path.isdir(self._entry(recipe)):
                for need in self.missing(recipe.needs):
                    found.setdefault(self._entry(need), need)
                found.setdefault(self._entry(recipe), recipe)
        return list(found.values())

    def expect(self, count: int) -> None:
        """Set how many layers will be built, for the progress lines."""
        self._expected, self._built = count, 0

    def obtain(self, recipe: Recipe) -> str:
        """Return the content folder of a layer. Build the layer if it is missing or damaged.

        Raises:
            BuildFailure: The layer cannot be built.
        """
        entry = self._entry(recipe)
        content = os.path.join(entry, _CONTENT)
        if entry in self._verified:
            return content
        try:
            os.makedirs(self.folder, exist_ok=True)
            with self._lock(os.path.basename(entry)):
                if os.path.isdir(entry):
                    problem = damage(entry)
                    if problem:
                        self._report(f"{entry} is damaged ({problem}): building it again")
                        shutil.rmtree(entry)
                if not os.path.isdir(entry):
                    self._build(recipe, entry)
        except OSError as error:
            raise BuildFailure(
                f"cannot store layer {recipe.name} in {entry}: {error.strerror or error}",
                hint="fix that, then run the same command again: finished layers are kept",
            ) from error
        self._verified.add(entry)
        return content

    def _entry(self, recipe: Recipe) -> str:
        return os.path.join(self.folder, f"{recipe.name}-{key(recipe)}")

    def _build(self, recipe: Recipe, entry: str) -> None:
        needs = {need.name: self.obtain(need) for need in recipe.needs}
        self._remove_leftovers()
        scratch = os.path.join(self.folder, "scratch", os.path.basename(entry))
        shutil.rmtree(scratch, ignore_errors=True)
        unfinished = os.path.join(scratch, "entry")
        content = os.path.join(unfinished, _CONTENT)
        os.makedirs(content)
        build = LayerBuild(content, scratch, needs, self._report)
        self._built += 1
        progress = f"[{self._built}/{max(self._built, self._expected)}] "
        self._report(f"  {progress}{recipe.name}: building, log: {build.log}")
        started = time.monotonic()
        recipe.build(build)
        facts = {"inputs": dict(recipe.inputs), "files": _hashes(content)}
        with open(os.path.join(unfinished, _MANIFEST), "w", encoding="utf-8") as stream:
            json.dump(facts, stream, indent=1, sort_keys=True)
        rename(unfinished, entry)
        shutil.rmtree(scratch, ignore_errors=True)
        self._report(f"  {recipe.name}: done in {time.monotonic() - started:.0f} s")
        self._remove_unused(recipe, entry)

    def _remove_unused(self, recipe: Recipe, entry: str) -> None:
        """Remove entries of earlier versions of a recipe that have not been used for weeks.

        They are kept for that long because another worktree may be at another commit. Every use of
        a layer takes its lock, which updates the time of the lock's file.
        """
        oldest = time.time() - UNUSED_DAYS * 24 * 3600
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            lock = os.path.join(self.folder, "locks", name)
            is_same = name.rpartition("-")[0] == recipe.name and path != entry
            if is_same and os.path.exists(lock) and os.stat(lock).st_mtime < oldest:
                with self._lock(name):
                    shutil.rmtree(path)
                os.remove(lock)
                self._report(f"  {name}: removed, not used for {UNUSED_DAYS} days")

    def _remove_leftovers(self) -> None:
        """Remove the scratch folders of failed and interrupted builds, but not of running ones."""
        folder = os.path.join(self.folder, "scratch")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            descriptor = _acquire(os.path.join(self.folder, "locks", name))
            if descriptor is not None:
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
                os.close(descriptor)

    def _lock(self, name: str) -> AbstractContextManager[None]:
        folder = os.path.join(self.folder, "locks")
        os.makedirs(folder, exist_ok=True)
        return locked(os.path.join(folder, name), self._report)


@contextmanager
def locked(path: str, report: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock while the context lasts. Wait if another build holds it.

    Args:
        path: The lock's file, which is created if necessary and never removed here.
        report: Prints that the build is waiting.

    Raises:
        BuildFailure: The file cannot be created.
    """
    descriptor = _acquire(path)
    if descriptor is None:
        report(f"  {os.path.basename(path)}: waiting for another build to finish it")
    while descriptor is None:
        time.sleep(_POLL)
        descriptor = _acquire(path)
    try:
        os.utime(path)  # the time of the layer's last use
        yield
    finally:
        os.close(descriptor)


def _acquire(path: str) -> int | None:
    try:
        return acquire(path)
    except HostError as error:
        raise BuildFailure(str(error), hint=error.hint or "") from error


def damage(entry: str) -> str:
    """Return how a cache entry differs from its manifest, or an empty string if it does not."""
    try:
        with open(os.path.join(entry, _MANIFEST), encoding="utf-8") as stream:
            expected = json.load(stream)["files"]
        found = _hashes(os.path.join(entry, _CONTENT))
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
    """Return the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hashes(folder: str) -> dict[str, str]:
    """Return, for every file below ``folder``, its hash and whether it is executable.

    A link is represented by its target.
    """
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


def _is_docstring(node: ast.AST) -> bool:
    """Whether a statement is only a string, as docstrings are."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
