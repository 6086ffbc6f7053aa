"""Facts about a frozen program: a single-file executable that unpacks its interpreter at start.

The bootloader unpacks the bundle to a temporary folder and starts the program from there as its
child. It passes facts to that child in environment variables, which no other process should see.
All code that depends on being frozen uses this module.
"""

import os
import sys
from typing import Final

BUILD_FACTS: Final = "awstoe_build_facts.json"
"""The file at the bundle's root that lists what the build put in."""

# docs/bootloader.md lists these variables, and everything else that the two sides agree on.
_PREFIX: Final = "_PYI_"
_NAMES: Final = frozenset({"_MEIPASS2", "PYINSTALLER_RESET_ENVIRONMENT"})


def is_frozen() -> bool:
    """Whether this process runs a single-file executable, not an interpreter."""
    return bool(getattr(sys, "frozen", False))


def bundle_folder() -> str | None:
    """Return the folder that the bootloader unpacked to; None in an interpreter."""
    folder: str | None = getattr(sys, "_MEIPASS", None)
    return folder


def executable() -> str:
    """Return the single-file executable with links resolved (for updates), or the interpreter."""
    return os.path.realpath(sys.executable) if is_frozen() else sys.executable


def is_bootloader_variable(name: str) -> bool:
    """Whether the bootloader uses this environment variable to talk to its program."""
    return name.startswith(_PREFIX) or name in _NAMES


def restore(package: str) -> None:
    """Unpack a package's data files again if a step has removed them.

    They are unpacked when the package is imported. Call this before reading them later than that.

    Raises:
        AwstoeError: They cannot be unpacked.
    """
    for finder in sys.meta_path:
        unpack_for = getattr(finder, "unpack_for", None)  # see awstoe_build.inside.late_loading
        if unpack_for is not None:
            unpack_for(package)


def build_facts() -> dict[str, object] | None:
    """Return what the build wrote into the bundle; None in a source tree.

    Raises:
        ValueError: The file is not a JSON object: the build has a bug.
    """
    folder = bundle_folder()
    if folder is None:
        return None
    import json  # noqa: PLC0415 - one command needs it, every start would load it

    try:
        with open(os.path.join(folder, BUILD_FACTS), encoding="utf-8") as stream:
            facts = json.load(stream)
    except FileNotFoundError:
        return None
    if not isinstance(facts, dict):
        raise ValueError(f"{BUILD_FACTS} is not a JSON object")
    return facts
