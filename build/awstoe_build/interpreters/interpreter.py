"""What starts PyInstaller: a target's own interpreter on the machine that builds."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from awstoe_build.build_info import Component


class Interpreter(NamedTuple):
    """An interpreter that can be started, with PyInstaller and the packages for the program."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    path: Callable[[str], str]
    """From the build machine's name of a file to the interpreter's name of it."""
    program: Mapping[str, str | bool]
    """What PyInstaller is told about the program's own file beside what all targets have."""
    site: str
    """The folder with the Python packages, as this machine calls it."""
    facts: Mapping[str, str | None]
    """The versions that the finished file tells: ``python`` and ``openssl``."""
    components: tuple[Component, ...] = ()
    """What may be in the file besides Python packages."""
    counterparts: Mapping[str, str] = {}
    """What the target has in place of what is found: see ``archive.for_target``."""
    boot_loader: str = ""
    """The target's; empty if PyInstaller finds it."""
