"""The facts about an interpreter that runs PyInstaller on the build machine."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from awstoe_build.build_info import Component


class Interpreter(NamedTuple):
    """An interpreter that is ready to run, with PyInstaller and the program's packages."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    path: Callable[[str], str]
    """Returns the interpreter's path for a path on the build machine."""
    program: Mapping[str, str | bool]
    """The target's own arguments for PyInstaller's ``EXE``."""
    site: str
    """The folder with the Python packages, as a path on the build machine."""
    facts: Mapping[str, str | None]
    """The versions for the build facts: ``python`` and ``openssl``."""
    components: tuple[Component, ...] = ()
    """What may be in the file besides Python packages."""
    counterparts: Mapping[str, str] = {}
    """The target's replacements for what PyInstaller finds: see ``archive.for_target``."""
    bootloader: str = ""
    """The path of the target's bootloader; empty if PyInstaller finds it itself."""
