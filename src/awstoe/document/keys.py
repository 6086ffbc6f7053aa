"""Checks the keys of a mapping, and reads misspelled and foreign ones as they were meant.

Each wrong key is one problem. What follows from it is none: a key whose meaning is clear takes its
right name in the result, so that its value is checked and not reported as missing.
"""

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from awstoe.document import advice
from awstoe.document.advice import Words
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.problems import Severity
from awstoe.document.syntax.nodes import Mapping, Node, Scalar
from awstoe.expressions.values import quoted
from awstoe.host.platforms import Platform


class Level(NamedTuple):
    """The keys that a kind of mapping may have."""

    known: tuple[str, ...]
    words: Words | None
    """What to write instead of words of other tools."""
    tolerated: Collection[str] = ()
    """Unknown keys that cause only a warning."""


DOCUMENT: Final = Level(
    ("name", "description", "schemaVersion", "parameters", "constants", "phases"),
    "DOCUMENT",
    ("version", "metadata"),
)
PHASE: Final = Level(("name", "steps"), "PHASE")
STEP: Final = Level(
    (
        "name",
        "action",
        "timeoutSeconds",
        "onFailure",
        "maxAttempts",
        "inputs",
        "loop",
        "if",
        "disableLogging",
    ),
    "STEP",
)
PARAMETER: Final = Level(("type", "default", "description", "allowedValues"), "PARAMETER")
CONSTANT: Final = Level(("type", "value", "description"), "CONSTANT")
LOOP: Final = Level(("name", "for", "forEach"), "LOOP")
COUNT: Final = Level(("start", "end", "updateBy"), "COUNT")
SPLIT: Final = Level(("list", "delimiter"), None)

Special = Callable[[str, Node], bool]
"""Reports a key that needs a message of its own; returns whether it did."""


class Meaning(NamedTuple):
    """What an unknown key was meant to be."""

    key: str
    """The known key, or an empty string."""
    hint: str


def meaning(
    diagnostics: Diagnostics,
    platforms: Collection[Platform],
    word: str,
    known: Collection[str],
    words: Words | None,
) -> Meaning:
    """Return what ``word`` was meant to be; without a known key and a hint if that is unclear.

    The meaning is unclear as well if the problem with it will not be shown.
    """
    if not diagnostics.has_room(Severity.ERROR):
        return Meaning("", "")
    folded = advice.fold(word)
    for key in known:
        if advice.fold(key) == folded:
            return Meaning(key, f"did you mean {key!r}?")
    if found := advice.find(words, word, known, platforms):
        return Meaning(found.key, found.hint)
    return Meaning(*diagnostics.guess(word, known))


def check(
    diagnostics: Diagnostics,
    platforms: Collection[Platform],
    node: Mapping,
    path: str,
    level: Level,
    special: Special | None = None,
) -> Mapping:
    """Report the unknown keys of ``node``; return it with the keys that were meant.

    Args:
        diagnostics: Collects the problems.
        platforms: The platforms that the document is for.
        node: The mapping.
        path: Its path.
        level: The keys that it may have.
        special: Is called first, for every unknown key.
    """
    unknown = [key for key in node.entries if key not in level.known]
    if not unknown:
        return node
    found: dict[str, tuple[Scalar, Node]] = {
        key: entry for key, entry in node.entries.items() if key in level.known
    }
    for key in unknown:
        where, value = node.entries[key]
        place = f"{path}.{key}" if path else key
        if special is not None and special(key, value):
            continue
        if key in level.tolerated:
            diagnostics.warning(
                where, place, "ignored-key", f"the key {quoted(key)} has no effect and is ignored"
            )
            continue
        meant, hint = meaning(diagnostics, platforms, key, level.known, level.words)
        if meant in found:
            hint = already(meant, found[meant][0])
        elif meant:
            found[meant] = (where, value)
        diagnostics.error(
            where,
            place,
            "unknown-key",
            f"unknown key {quoted(key)}",
            hint or f"expected {listed(level.known)}",
        )
    return with_entries(node, found)


def already(key: str, where: Scalar) -> str:
    """Return the hint for a second spelling of a key."""
    return f"remove one of them: {key!r} is on line {where.line}"


def listed(words: Collection[str], link: str = "or") -> str:
    """Return ``a, b or c``."""
    *firsts, last = words
    return f"{', '.join(firsts)} {link} {last}" if firsts else last


def with_entries(node: Mapping, entries: dict[str, tuple[Scalar, Node]]) -> Mapping:
    """Return a copy of ``node`` with other entries; the tree of aliases stays as it is."""
    copy = Mapping(node.line, node.column, flow=node.flow)
    copy.entries = entries
    copy.excused = node.excused
    return copy


def with_entry(node: Mapping, key: str, value: Node) -> Mapping:
    """Return a copy of ``node`` in which ``key`` has another value."""
    where = node.entries[key][0] if key in node.entries else word(key, value)
    return with_entries(node, node.entries | {key: (where, value)})


def word(text: str, where: Node) -> Scalar:
    """Return a scalar at the position of ``where``."""
    return Scalar(text, plain=False, line=where.line, column=where.column)


def excuse(node: Mapping, *keys: str) -> None:
    """Do not report the absence of ``keys``: it follows from a problem that has been reported."""
    node.excused = node.excused | set(keys)
