"""The paths in a repository of releases, shared by publishing and downloading."""

import re
from typing import Final

METADATA: Final = "metadata/"
"""The folder of trust metadata, relative to a region's URL."""

SIGNATURE: Final = ".sig"
"""Suffix of a detached signature, after the path of its program."""

PROGRAMS: Final = {"linux": "awstoe", "windows": "awstoe.exe"}
"""The program's file name on each platform."""

_PATH: Final = re.compile(r"([0-9A-Za-z.+-]+)/([a-z]+)/([a-z0-9]+)/([a-z.]+)")


def program_path(version: str, platform: str, architecture: str) -> str:
    """Return the permanent path of a program: ``1.2.0/linux/amd64/awstoe``."""
    return f"{version}/{platform}/{architecture}/{PROGRAMS[platform]}"


def path_with_hash(path: str, sha256: str) -> str:
    """Return the path of the same file for other clients: ``1.2.0/linux/amd64/HASH.awstoe``.

    The root says ``consistent_snapshot``, so clients that follow the specification of The Update
    Framework look there. This program uses the plain path.
    """
    folder, _, name = path.rpartition("/")
    return f"{folder}/{sha256}.{name}"


def parse_program_path(path: str) -> tuple[str, str, str] | None:
    """Return version, platform and architecture of a program's path; None for other paths."""
    found = _PATH.fullmatch(path)
    if found is None or PROGRAMS.get(found[2]) != found[4]:
        return None
    return found[1], found[2], found[3]
