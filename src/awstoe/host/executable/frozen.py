"""The facts about a frozen program: one file that carries its interpreter and unpacks it at start.

The boot loader unpacks to a temporary folder, the bundle's, and starts the program from there as
its own child. It tells the program about that by environment variables, which concern nobody else.
Everything that asks whether and how this process is frozen asks here.
"""

import os
import sys
from typing import Final

BUILD_FACTS: Final = "awstoe_build_facts.json"
"""The file at the bundle's root in which the build says what it put in."""

# docs/bootloader.md lists these variables, and everything else that the two sides agree on.
_PREFIX: Final = "_PYI_"
_NAMES: Final = frozenset({"_MEIPASS2", "PYINSTALLER_RESET_ENVIRONMENT"})


def is_frozen() -> bool:
    """Whether this process is a single file's, not an interpreter's."""
    return bool(getattr(sys, "frozen", False))


def bundle_folder() -> str | None:
    """The folder that the boot loader unpacked to; None if there is none."""
    folder: str | None = getattr(sys, "_MEIPASS", None)
    return folder


def executable() -> str:
    """The single file, links followed, so that it can be replaced; or the interpreter."""
    return os.path.realpath(sys.executable) if is_frozen() else sys.executable


def is_bootloader_variable(name: str) -> bool:
    """Whether an environment variable is between the boot loader and its program."""
    return name.startswith(_PREFIX) or name in _NAMES


def restore(package: str) -> None:
    """See to it that a package's data files are there, if a step has removed them.

    They are unpacked when the package is imported. Who reads them later than that calls this first.

    Raises:
        AwstoeError: They cannot be unpacked.
    """
    for finder in sys.meta_path:
        unpack_for = getattr(finder, "unpack_for", None)  # of the build's frozen_late.py
        if unpack_for is not None:
            unpack_for(package)


def build_facts() -> dict[str, object] | None:
    """What the build wrote into the bundle; None where nothing is, as in a source tree.

    Raises:
        ValueError: The file is no JSON object: the build was wrong.
    """
    folder = bundle_folder()
    if folder is None:
        return None
    import json  # noqa: PLC0415 - one command asks, every start would pay

    try:
        with open(os.path.join(folder, BUILD_FACTS), encoding="utf-8") as stream:
            facts = json.load(stream)
    except FileNotFoundError:
        return None
    if not isinstance(facts, dict):
        raise ValueError(f"{BUILD_FACTS} holds no JSON object")
    return facts
