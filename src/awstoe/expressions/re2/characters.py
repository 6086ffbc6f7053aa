"""Parses single characters of RE2's syntax: escapes, named classes, classes in brackets.

``translate`` parses the structure of a pattern and calls this module for its characters. Both
advance the same ``Cursor``.
"""

import re
from typing import Final

from awstoe.expressions.re2 import classes
from awstoe.expressions.re2.classes import CharacterSet
from awstoe.expressions.re2.unicode_scripts import SCRIPTS


class PatternError(ValueError):
    """A pattern is not in RE2's syntax.

    Attributes:
        message: What is wrong, and where.
        position: The offset in the pattern, in characters.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = str(self)
        self.position = position


class Cursor:
    """A position in a pattern.

    Attributes:
        pattern: The pattern.
        at: The offset of the next character.
    """

    __slots__ = ("at", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def sees(self, text: str) -> bool:
        """Whether ``text`` comes next."""
        return self.pattern.startswith(text, self.at)

    def after(self, characters: int) -> str:
        """Return the character at this distance from the cursor, or '' beyond the end."""
        return self.pattern[self.at + characters : self.at + characters + 1]

    def match(self, expression: str) -> "re.Match[str] | None":
        """Match ``expression`` at the cursor, without moving it."""
        return re.compile(expression).match(self.pattern, self.at)


_PERL_CLASSES: Final = {
    "d": (classes.DIGIT, False),
    "D": (classes.DIGIT, True),
    "s": (classes.SPACE, False),
    "S": (classes.SPACE, True),
    "w": (classes.WORD, False),
    "W": (classes.WORD, True),
}

_CONTROL: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_REFUSED_ESCAPES: Final = {
    "Z": r"\Z is not in RE2's syntax; write \z for the end of the text",
    "G": r"\G is not in RE2's syntax",
    "C": r"\C, a single byte, is not supported: strings consist of characters here",
    "k": "back-references are not in RE2's syntax",
    "E": r"\E without \Q",
}

_HEXADECIMAL: Final = r"\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2})"
_OCTAL: Final = r"0[0-7]{0,2}|[1-7][0-7]{1,2}"


def cased(characters: CharacterSet, *, fold_case: bool) -> CharacterSet:
    """Return ``characters``, with all their cases if ``fold_case`` is set."""
    return classes.with_all_cases(characters) if fold_case else characters


def escaped_set(cursor: Cursor, *, fold_case: bool) -> CharacterSet | None:
    r"""Return the set of a class such as ``\d`` or ``\pL`` at the cursor, or None.

    Raises:
        PatternError: The class of a ``\p`` does not exist.
    """
    following = cursor.after(1)
    if following in _PERL_CLASSES:
        cursor.at += 2
        characters, negated = _PERL_CLASSES[following]
    elif following in {"p", "P"}:
        characters, negated = _unicode_class(cursor, negated=following == "P")
    else:
        return None
    characters = cased(characters, fold_case=fold_case)
    return classes.complement(characters) if negated else characters


def _unicode_class(cursor: Cursor, *, negated: bool) -> tuple[CharacterSet, bool]:
    match = cursor.match(r"(?s)\\[pP](?:\{([^}]*)\}|([^{]))")
    if match is None:
        raise PatternError(r"\p requires a name, as in \pL or \p{Greek}", cursor.at)
    name = match[2] or match[1]
    negated ^= name.startswith("^")
    found = classes.unicode_class(name.removeprefix("^"))
    if found is None:
        raise PatternError(
            f"unknown class {match[0]}; use Any, a general category (L, Lu, Nd, ...) or one of "
            f"the scripts {', '.join(SCRIPTS)}",
            cursor.at,
        )
    cursor.at = match.end()
    return found, negated


def escaped_character(cursor: Cursor) -> str:
    """Return the character of the escape at the cursor.

    Raises:
        PatternError: It is not an escape of RE2.
    """
    start = cursor.at
    following = cursor.after(1)
    cursor.at += 1
    if following == "":
        raise PatternError("the pattern ends with a single \\", start)
    if match := cursor.match(_OCTAL):
        cursor.at = match.end()
        return chr(int(match[0], 8))
    cursor.at += 1
    if following in "123456789":
        raise PatternError(f"\\{following} is a back-reference, which RE2 does not have", start)
    if following == "x":
        match = cursor.match(_HEXADECIMAL)
        point = int(match[1] or match[2], 16) if match else -1
        if match is None or point > classes.EVERYTHING[0][1]:
            raise PatternError(r"\x requires two hexadecimal digits, or {0} to {10FFFF}", start)
        cursor.at = match.end()
        return chr(point)
    if following in _CONTROL:
        return _CONTROL[following]
    if following.isascii() and not following.isalnum():
        return following
    raise PatternError(
        _REFUSED_ESCAPES.get(following, f"\\{following} is not in RE2's syntax"), start
    )


def bracketed_set(cursor: Cursor, *, fold_case: bool) -> CharacterSet:
    """Return the set of the class in brackets at the cursor.

    Raises:
        PatternError: It is not in RE2's syntax.
    """
    start = cursor.at
    cursor.at += 1
    negated = cursor.sees("^")
    cursor.at += negated
    ranges: list[tuple[int, int]] = []
    first = True
    while first or not cursor.sees("]"):
        first = False
        ranges.extend(_class_part(cursor, start, fold_case=fold_case))
    cursor.at += 1
    characters = classes.union(ranges)
    return classes.complement(characters) if negated else characters


def _class_part(cursor: Cursor, start: int, *, fold_case: bool) -> CharacterSet:
    """Return one named class, escape, character or range within brackets."""
    if match := cursor.match(r"(?s)\[:(.*?):\]"):
        name = match[1].removeprefix("^")
        if name not in classes.POSIX:
            raise PatternError(
                f"unknown class {match[0]}; use one of {', '.join(classes.POSIX)}", cursor.at
            )
        cursor.at = match.end()
        characters = cased(classes.POSIX[name], fold_case=fold_case)
        return classes.complement(characters) if name != match[1] else characters
    if cursor.sees("\\"):
        found = escaped_set(cursor, fold_case=fold_case)
        if found is not None:
            return found
    range_start = cursor.at
    low = high = _class_character(cursor, start)
    dash = cursor.sees("-")
    if dash and cursor.after(1) not in {"]", ""}:
        cursor.at += 1
        high = _class_character(cursor, start)
    if high < low:
        written = cursor.pattern[range_start : cursor.at]
        raise PatternError(f"the range {written} has its ends in the wrong order", range_start)
    return cased(((low, high),), fold_case=fold_case)


def _class_character(cursor: Cursor, start: int) -> int:
    if cursor.at >= len(cursor.pattern):
        raise PatternError("missing closing ]", start)
    if cursor.pattern[cursor.at] == "\\":
        return ord(escaped_character(cursor))
    cursor.at += 1
    return ord(cursor.pattern[cursor.at - 1])
