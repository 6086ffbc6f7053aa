"""Picks, by this machine's and a target's system, the module that has its interpreter."""

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
    """The layers that freezing for ``target`` needs, without those that these need."""
    match targets.here(), target.system:
        case System.WINDOWS, _:
            return interpreter_native.layers(target)
        case _, System.WINDOWS:
            return interpreter_windows.layers(target)
        case _:
            return interpreter_linux.layers(target)


def started(target: Target, cache: Cache, folder: str) -> AbstractContextManager[Interpreter]:
    """Make the interpreter for ``target`` ready while the context lasts.

    Args:
        target: What is to be frozen.
        cache: Where its layers are.
        folder: Where files for this one freeze may be put.

    Raises:
        BuildFailure: A layer cannot be built, or the interpreter cannot run here.
    """
    match targets.here(), target.system:
        case System.WINDOWS, _:
            return interpreter_native.started(target, cache, folder)
        case _, System.WINDOWS:
            return interpreter_windows.started(target, cache, folder)
        case _:
            return interpreter_linux.started(target, cache, folder)
