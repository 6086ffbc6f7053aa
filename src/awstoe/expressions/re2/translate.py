"""Translates regular expressions from RE2's syntax to Python's ``re``.

Documents are written for RE2 (Go's ``regexp``). What RE2 rejects is rejected here, and what both
accept matches the same texts: sets of characters are spelled out, so that Python's Unicode-wide
classes and case rules do not apply. Only whether a text matches is preserved; every group becomes a
non-capturing one, because captures are not used.

RE2's linear running time is not preserved: callers limit the time of a search.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.expressions.re2 import characters, classes
from awstoe.expressions.re2.characters import Cursor, PatternError

__all__ = ["PatternError", "Translated", "translate"]

REPETITIONS: Final = 1000
"""RE2's limit for counted repetitions, with nested repetitions multiplied."""


class Translated(NamedTuple):
    """A pattern for Python's ``re``."""

    expression: str
    flags: int


class _Flags(NamedTuple):
    """RE2's flags at one position in a pattern."""

    fold_case: bool = False
    multi_line: bool = False
    dot_all: bool = False
    ungreedy: bool = False


class _Item(NamedTuple):
    """A piece of a translated pattern."""

    expression: str
    is_atom: bool
    """Whether a repetition operator after it applies to all of it."""
    repetitions: int = 1
    """The product of the nested counted repetitions in it."""


class _Group:
    """A group that is not closed yet: its complete branches and the current one."""

    __slots__ = ("branches", "flags_outside", "items", "repetitions", "start")

    def __init__(self, start: int, flags_outside: _Flags) -> None:
        self.start = start
        self.flags_outside = flags_outside
        self.branches: list[str] = []
        self.items: list[_Item] = []
        self.repetitions = 1

    def end_branch(self) -> None:
        """End the current branch."""
        self.branches.append("".join(item.expression for item in self.items))
        self.repetitions = max(self.repetitions, *(item.repetitions for item in self.items), 1)
        self.items = []

    def item(self) -> _Item:
        """Return the complete group as one item."""
        if not self.branches and len(self.items) == 1 and self.items[0].is_atom:
            return self.items[0]
        self.end_branch()
        return _Item(f"(?:{'|'.join(self.branches)})", is_atom=True, repetitions=self.repetitions)


_FLAG_NAMES: Final = {"i": "fold_case", "m": "multi_line", "s": "dot_all", "U": "ungreedy"}

# Unlike RE2's, Python's \B does not match in an empty text.
_ASSERTIONS: Final = {
    "A": r"\A",
    "z": r"\Z",
    "b": r"(?a:\b)",
    "B": r"(?!(?a:\b))",
}

_REFUSED_GROUPS: Final = (
    ("(?=", "look-around"),
    ("(?!", "look-around"),
    ("(?<=", "look-around"),
    ("(?<!", "look-around"),
    ("(?P=", "a back-reference"),
    ("(?P>", "recursion"),
    ("(?>", "an atomic group"),
    ("(?(", "a conditional group"),
    ("(?#", "a comment"),
    ("(?|", "a branch reset"),
)

_COUNT: Final = r"(?:0|[1-9][0-9]*)"
_COUNTED: Final = rf"\{{({_COUNT})(,?)({_COUNT})?\}}"
_GROUP_NAME: Final = r"\(\?P?<([^>]*)>"


class _Translation:
    """One pass over a pattern, from left to right."""

    def __init__(self, pattern: str) -> None:
        self._cursor = Cursor(pattern)
        self._flags = _Flags()
        self._groups = [_Group(0, self._flags)]
        self._after_repetition = False

    def result(self) -> str:
        """Translate the whole pattern.

        Raises:
            PatternError: It is not in RE2's syntax.
        """
        while character := self._cursor.after(0):
            after_repetition, self._after_repetition = self._after_repetition, False
            self._step(character, after_repetition=after_repetition)
        if len(self._groups) > 1:
            raise PatternError("missing closing )", self._groups[-1].start)
        group = self._groups[0]
        group.end_branch()
        return "|".join(group.branches)

    def _step(self, character: str, *, after_repetition: bool) -> None:
        """Translate the item at the cursor."""
        match character:
            case "(":
                self._open()
            case ")":
                self._close()
            case "|":
                self._cursor.at += 1
                self._groups[-1].end_branch()
            case "[":
                found = characters.bracketed_set(self._cursor, fold_case=self._flags.fold_case)
                self._add(classes.expression(found))
            case "." | "^" | "$":
                self._cursor.at += 1
                self._single(character)
            case "*" | "+" | "?":
                self._cursor.at += 1
                self._repeat(character, self._cursor.at - 1, after_repetition=after_repetition)
            case "{":
                self._brace(after_repetition=after_repetition)
            case "\\":
                self._escape()
            case _:
                self._cursor.at += 1
                self._literal(character)

    def _add(self, expression: str, *, is_atom: bool = True) -> None:
        self._groups[-1].items.append(_Item(expression, is_atom))

    def _literal(self, character: str) -> None:
        point = ord(character)
        found = characters.cased(((point, point),), fold_case=self._flags.fold_case)
        self._add(classes.expression(found))

    def _single(self, character: str) -> None:
        flags = self._flags
        if character == ".":
            self._add("." if flags.dot_all else r"[^\n]")
        elif character == "^":
            self._add("(?m:^)" if flags.multi_line else r"\A", is_atom=False)
        else:
            self._add("(?m:$)" if flags.multi_line else r"\Z", is_atom=False)

    # --- repetition ---------------------------------------------------------------------------

    def _brace(self, *, after_repetition: bool) -> None:
        match = self._cursor.match(_COUNTED)
        if match is None or (match[3] and not match[2]):
            self._cursor.at += 1
            self._literal("{")
            return
        start, self._cursor.at = self._cursor.at, match.end()
        counts = [count for count in (match[1], match[3]) if count]
        if any(len(count) > len(str(REPETITIONS)) or int(count) > REPETITIONS for count in counts):
            raise PatternError(f"{match[0]} repeats more than {REPETITIONS} times", start)
        if len(counts) > 1 and int(counts[0]) > int(counts[1]):
            raise PatternError(f"{match[0]} has the larger number first", start)
        self._repeat(match[0], start, after_repetition=after_repetition)
        # The maximum number of repetitions. For {n,}, n counts against the limit.
        times = int(counts[-1])
        unbounded = bool(match[2]) and len(counts) == 1
        self._count(times, start, is_empty=times == 0 and not unbounded)

    def _count(self, times: int, start: int, *, is_empty: bool) -> None:
        """Take a counted repetition of the last item into account."""
        items = self._groups[-1].items
        total = 1 if is_empty else items[-1].repetitions * max(times, 1)
        if total > REPETITIONS and times > 1:
            raise PatternError(
                f"nested repetitions repeat more than {REPETITIONS} times in total", start
            )
        items[-1] = items[-1]._replace(repetitions=total)

    def _repeat(self, operator: str, start: int, *, after_repetition: bool) -> None:
        """Repeat the last item."""
        lazy = self._flags.ungreedy
        if self._cursor.sees("?"):
            self._cursor.at += 1
            lazy = not lazy
        written = self._cursor.pattern[start : self._cursor.at]
        if after_repetition:
            raise PatternError(
                f"{written} repeats a repetition; RE2 has no possessive operators and requires a "
                "group around a repetition that is repeated",
                start,
            )
        items = self._groups[-1].items
        if not items:
            raise PatternError(f"there is nothing before {written} to repeat", start)
        item = items[-1]
        atom = item.expression if item.is_atom else f"(?:{item.expression})"
        repeated = f"{atom}{operator}{'?' if lazy else ''}"
        items[-1] = _Item(repeated, is_atom=False, repetitions=item.repetitions)
        self._after_repetition = True

    # --- groups -------------------------------------------------------------------------------

    def _open(self) -> None:
        start = self._cursor.at
        if not self._cursor.sees("(?"):
            self._cursor.at += 1
            self._push(start, self._flags)
            return
        for opening, what in _REFUSED_GROUPS:
            if self._cursor.sees(opening):
                raise PatternError(f"{opening} is {what}, which RE2 does not have", start)
        if self._cursor.after(2) in {"P", "<"}:
            self._named(start)
        else:
            self._flag_group(start)

    def _named(self, start: int) -> None:
        match = self._cursor.match(_GROUP_NAME)
        name = match[1] if match else ""
        if match is None or not (name.isascii() and name.replace("_", "a").isalnum()):
            raise PatternError("a group name must be letters, digits and _, as in (?P<n>", start)
        self._cursor.at = match.end()
        self._push(start, self._flags)

    def _flag_group(self, start: int) -> None:
        match = self._cursor.match(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
        if match is None:
            what = self._cursor.pattern[start : start + 4]
            raise PatternError(f"{what!r} does not start a group that RE2 supports", start)
        changes = {_FLAG_NAMES[flag]: True for flag in match[1]}
        changes |= {_FLAG_NAMES[flag]: False for flag in match[2] or ""}
        self._cursor.at = match.end()
        flags = self._flags._replace(**changes)
        if match[3] == ":":
            self._push(start, self._flags)
        self._flags = flags

    def _push(self, start: int, flags_outside: _Flags) -> None:
        if len(self._groups) > limits.PATTERN_DEPTH:
            raise PatternError(f"groups are nested more than {limits.PATTERN_DEPTH} deep", start)
        self._groups.append(_Group(start, flags_outside))

    def _close(self) -> None:
        if len(self._groups) == 1:
            raise PatternError("unexpected )", self._cursor.at)
        self._cursor.at += 1
        group = self._groups.pop()
        self._flags = group.flags_outside
        self._groups[-1].items.append(group.item())

    # --- characters ---------------------------------------------------------------------------

    def _escape(self) -> None:
        """Translate an escape outside of classes."""
        cursor = self._cursor
        following = cursor.after(1)
        if following == "Q":
            quoted, end, _ = cursor.pattern[cursor.at + 2 :].partition("\\E")
            cursor.at += 2 + len(quoted) + len(end)
            for character in quoted:
                self._literal(character)
        elif following in _ASSERTIONS:
            cursor.at += 2
            self._add(_ASSERTIONS[following], is_atom=False)
        else:
            found = characters.escaped_set(cursor, fold_case=self._flags.fold_case)
            if found is None:
                self._literal(characters.escaped_character(cursor))
            else:
                self._add(classes.expression(found))


@lru_cache(maxsize=256)
def translate(pattern: str) -> Translated:
    """Translate ``pattern`` from RE2's syntax to Python's ``re``.

    Raises:
        PatternError: It is too long, or RE2 would reject it.
    """
    if len(pattern) > limits.PATTERN_CHARACTERS:
        raise PatternError(
            f"expected a pattern of at most {limits.PATTERN_CHARACTERS} characters, got "
            f"{len(pattern)}",
            limits.PATTERN_CHARACTERS,
        )
    return Translated(_Translation(pattern).result(), int(re.DOTALL))
