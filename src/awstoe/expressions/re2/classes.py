r"""Computes sets of characters: RE2's named classes, their complements, their other cases.

A set is a sorted tuple of inclusive code point ranges that neither overlap nor touch. Python's own
``\w``, ``\s`` and ``IGNORECASE`` are not used, because they include more characters than RE2's.
Sets that require a walk through all of Unicode are computed at first use and cached.
"""

import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import Final

from awstoe.expressions.re2.unicode_scripts import SCRIPTS

CharacterSet = tuple[tuple[int, int], ...]

EVERYTHING: Final[CharacterSet] = ((0, sys.maxunicode),)

_ASCII_END: Final = 0x7F
_DOTLESS_I: Final = 0x131
_CASED_END: Final = 0x1E943
"""The last character that has another case."""
_KELVIN_SIGN: Final = 0x212A
_LONG_S: Final = 0x17F


def union(ranges: Iterable[tuple[int, int]]) -> CharacterSet:
    """Return the set of the characters in ``ranges``, which may overlap and be in any order."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(characters: CharacterSet) -> CharacterSet:
    """Return all other characters."""
    gaps = []
    following = 0
    for low, high in characters:
        if low > following:
            gaps.append((following, low - 1))
        following = high + 1
    if following <= sys.maxunicode:
        gaps.append((following, sys.maxunicode))
    return tuple(gaps)


def _of(*spans: str) -> CharacterSet:
    """Return the set of ``spans``: single characters, or the two ends of a range."""
    return union((ord(span[0]), ord(span[-1])) for span in spans)


DIGIT: Final = _of("09")
SPACE: Final = _of("\t\n", "\f\r", " ")
WORD: Final = _of("09", "AZ", "az", "_")

POSIX: Final[Mapping[str, CharacterSet]] = MappingProxyType(
    {
        "alnum": _of("09", "AZ", "az"),
        "alpha": _of("AZ", "az"),
        "ascii": _of("\x00\x7f"),
        "blank": _of("\t", " "),
        "cntrl": _of("\x00\x1f", "\x7f"),
        "digit": DIGIT,
        "graph": _of("!~"),
        "lower": _of("az"),
        "print": _of(" ~"),
        "punct": _of("!/", ":@", "[`", "{~"),
        "space": _of("\t\r", " "),
        "upper": _of("AZ"),
        "word": WORD,
        "xdigit": _of("09", "AF", "af"),
    }
)
"""The classes of ``[[:name:]]``."""


@cache
def _categories() -> dict[str, CharacterSet]:
    """Return the characters of every general category, by its one-letter or two-letter name."""
    runs: dict[str, list[tuple[int, int]]] = {}
    following = 0
    characters = map(chr, range(sys.maxunicode + 1))
    for category, run in groupby(characters, unicodedata.category):
        low, following = following, following + sum(1 for _ in run)
        runs.setdefault(category, []).append((low, following - 1))
        runs.setdefault(category[0], []).append((low, following - 1))
    return {category: union(ranges) for category, ranges in runs.items()}


def unicode_class(name: str) -> CharacterSet | None:
    r"""Return the set of ``\p{name}``, or None if the name is unknown."""
    if name == "Any":
        return EVERYTHING
    return SCRIPTS.get(name) or _categories().get(name)


@cache
def _orbits() -> dict[int, tuple[int, ...]]:
    """Return, for every character with other cases, all characters that differ only in case.

    Only one-to-one case pairs count: ß is not SS, and the dotless i, whose capital is a plain I,
    has no other case.
    """
    same: dict[str, list[int]] = {}
    for point in range(_CASED_END + 1):
        if point == _DOTLESS_I:
            continue
        character = chr(point)
        upper = character.upper()
        capital = upper if len(upper) == 1 else character
        lower = capital.lower()
        same.setdefault(lower if len(lower) == 1 else capital, []).append(point)
    return {point: tuple(orbit) for orbit in same.values() if len(orbit) > 1 for point in orbit}


def _ascii_cases(characters: CharacterSet) -> Iterable[tuple[int, int]]:
    """Yield a set of ASCII characters and their other cases, without a walk through Unicode."""
    yield from characters
    for low, high in characters:
        for point in range(low, high + 1):
            if chr(point).isalpha():
                other = point ^ 0x20
                yield (other, other)
                if chr(point) in "kK":
                    yield (_KELVIN_SIGN, _KELVIN_SIGN)
                if chr(point) in "sS":
                    yield (_LONG_S, _LONG_S)


@lru_cache(maxsize=256)
def with_all_cases(characters: CharacterSet) -> CharacterSet:
    """Return the set with the other cases of every character."""
    if not characters or characters == EVERYTHING:
        return characters
    if characters[-1][1] <= _ASCII_END:
        return union(_ascii_cases(characters))
    lows = [low for low, _ in characters]
    added = list(characters)
    for point, orbit in _orbits().items():
        at = bisect_right(lows, point) - 1
        if at >= 0 and point <= characters[at][1]:
            added.extend((other, other) for other in orbit)
    return union(added)


def _escaped(point: int) -> str:
    character = chr(point)
    if character.isascii() and character.isalnum():
        return character
    if point <= 0xFF:  # noqa: PLR2004 - the largest value of \x with two digits
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - as above


def _listed(characters: CharacterSet) -> str:
    return "".join(
        _escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}"
        for low, high in characters
    )


def expression(characters: CharacterSet) -> str:
    """Return a single atom that matches the set in Python's ``re`` with ``DOTALL``."""
    if not characters:
        return "(?!)"
    if characters == EVERYTHING:
        return "."
    low, high = characters[0]
    if len(characters) == 1 and low == high:
        return _escaped(low)
    rest = complement(characters)
    if len(rest) < len(characters):
        return f"[^{_listed(rest)}]"
    return f"[{_listed(characters)}]"
