"""Releases as the trust metadata describes them: versions, files, and target machines."""

import re
from functools import total_ordering
from typing import Final, NamedTuple

# Semantic Versioning 2.0.0, items 9 to 11.
_VERSION: Final = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_GLIBC: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})", re.ASCII)
_LONGEST: Final = 64


@total_ordering
class Version:
    """A version that can be compared.

    Args:
        text: A version as Semantic Versioning defines it.

    Raises:
        ValueError: It is not such a version.
    """

    def __init__(self, text: str) -> None:
        found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            raise ValueError(f"expected a version such as 1.2.3, got {text!r}")
        self.text = text
        self.prerelease = found[4]
        self._key = (tuple(int(found[number]) for number in (1, 2, 3)), _rank(found[4]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: "Version") -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"


def _rank(prerelease: str | None) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts numbers before words, fewer parts first, and the release last."""
    if prerelease is None:
        return ((2, 0, ""),)
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in prerelease.split(".")
    )


class Release(NamedTuple):
    """A published program for one platform, as the verified metadata describes it."""

    version: Version
    platform: str
    architecture: str
    path: str
    """Its path in the repository."""
    length: int
    """Its exact size in bytes."""
    sha256: str
    signature_path: str
    signature_length: int
    signature_sha256: str
    glibc: tuple[int, int] | None
    """The lowest version of the GNU C library that it runs with."""
    withdrawn: str
    """Why it must not be installed any more; empty if it may be."""
    notes: str
    """URL of the release notes, or empty."""


def glibc_version(text: str) -> tuple[int, int] | None:
    """Return the numbers of a C library's version; None if ``text`` contains none."""
    found = _GLIBC.search(text)
    return (int(found[1]), int(found[2])) if found else None
