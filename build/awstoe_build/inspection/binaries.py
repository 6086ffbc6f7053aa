"""What is known of the programs and libraries in a built file, the same for every system."""

from typing import NamedTuple


class Binary(NamedTuple):
    """One program or library."""

    name: str
    size: int
    needs: str
    """What it asks of the machine, for a person."""
    rank: tuple[int, int]
    """How demanding that is."""


class Binaries(NamedTuple):
    """All of a built file."""

    kind: str
    """What such a file is called: ELF or PE."""
    all: tuple[Binary, ...]
    modules: tuple[str, ...]
    """The modules that they are, by full name."""
    problems: tuple[str, ...]


BOOT_LOADER = "(boot loader)"
"""What the file without its archive is called."""
