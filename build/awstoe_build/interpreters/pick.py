"""Picks the interpreter that freezes a target, by the systems of this machine and the target."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from awstoe_build import targets
from awstoe_build.interpreters import linux as interpreter_linux
from awstoe_build.interpreters import native as interpreter_native
from awstoe_build.interpreters import windows as interpreter_windows
from awstoe_build.interpreters.interpreter import Interpreter
from awstoe_build.targets import System, Target
from awstoe_build.toolchain.layers import Cache, Recipe


def layers(target: Target) -> Sequence[Recipe]:
    """Return the layers that freezing ``target`` needs directly."""
    match targets.here(), target.system:
        case System.WINDOWS, _:
            return interpreter_native.layers(target)
        case _, System.WINDOWS:
            return interpreter_windows.layers(target)
        case _:
            return interpreter_linux.layers(target)


def started(target: Target, cache: Cache, folder: str) -> AbstractContextManager[Interpreter]:
    """Return a context in which the interpreter for ``target`` is ready to run.

    Args:
        target: The target to freeze.
        cache: The cache with its layers.
        folder: The folder for files of this build only.

    Raises:
        BuildFailure: A layer cannot be built, or the interpreter cannot run on this machine.
    """
    match targets.here(), target.system:
        case System.WINDOWS, _:
            return interpreter_native.started(target, cache, folder)
        case _, System.WINDOWS:
            return interpreter_windows.started(target, cache, folder)
        case _:
            return interpreter_linux.started(target, cache, folder)
