"""The facts about the binaries in an executable, in one form for all systems."""

from typing import NamedTuple


class Binary(NamedTuple):
    """One program or library."""

    name: str
    size: int
    needs: str
    """What it requires of the machine, as text for a user."""
    rank: tuple[int, int]
    """The required version, for sorting."""


class Binaries(NamedTuple):
    """All binaries in an executable."""

    kind: str
    """Their format: ELF or PE."""
    all: tuple[Binary, ...]
    modules: tuple[str, ...]
    """The full names of the extension modules among them."""
    problems: tuple[str, ...]


BOOTLOADER = "(bootloader)"
"""The name for the executable without its archive."""
