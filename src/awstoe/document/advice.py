"""Finds what to write instead of a word of another tool, in the tables of ``foreign_words``."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from awstoe.host.platforms import Platform


class Advice(NamedTuple):
    """What to write instead of a word."""

    hint: str
    key: str = ""
    """The key that has the same value here, if there is one."""


class Row(NamedTuple):
    """Words with the same advice."""

    words: str
    """Separated by spaces, as ``fold`` returns them."""
    hint: str
    """May contain ``{shell}``: the action for scripts."""
    keys: tuple[str, ...] = ()
    """Keys of the same meaning; the first one that can be used counts. Without a hint, the hint is
    to use it."""


Table: TypeAlias = tuple[Row, ...]

if TYPE_CHECKING:
    from typing import Literal

    Words: TypeAlias = Literal[
        "DOCUMENT",
        "PHASE",
        "SCRIPT",
        "STEP",
        "PARAMETER",
        "CONSTANT",
        "LOOP",
        "COUNT",
        "INPUT",
        "OPERATOR",
        "ACTION",
        "ON_FAILURE",
        "BRANCH",
        "CHOICE",
        "PHASE_NAME",
    ]
else:
    Words = str
"""The name of a table of ``foreign_words``, which is loaded only for a word that is not known."""


def shell(platforms: Collection[Platform]) -> str:
    """Return the action that runs scripts on the first of ``platforms``."""
    windows = Platform.WINDOWS in platforms and Platform.LINUX not in platforms
    return "ExecutePowerShell" if windows else "ExecuteBash"


def find(
    words: Words | None, word: str, known: Collection[str], platforms: Collection[Platform]
) -> Advice | None:
    """Return what to write instead of ``word``, or None if the table does not have it.

    Args:
        words: The table, if there is one.
        word: The word in the document; ``ansible.builtin.x`` and ``aws:x`` are also looked up as
            ``x``.
        known: What can be used in its place.
        platforms: The platforms that the document is for.
    """
    if words is None:
        return None
    from awstoe.document import foreign_words  # noqa: PLC0415 - see Words

    table: Table = getattr(foreign_words, words)
    script = shell(platforms)
    for folded in dict.fromkeys((fold(word), fold(re.split(r"[.:]", word)[-1]))):
        for row in table:
            if folded not in row.words.split():
                continue
            meant = [key for key in (key.format(shell=script) for key in row.keys) if key in known]
            if row.hint and (meant or not row.keys):
                return Advice(row.hint.format(shell=script), *meant[:1])
            if meant:
                return Advice(f"use {meant[0]!r}", meant[0])
    return None


def fold(word: str) -> str:
    """Return ``word`` as the tables have it: lower case, without dashes, underscores and spaces."""
    return re.sub(r"[-_\s]+", "", word).casefold()
