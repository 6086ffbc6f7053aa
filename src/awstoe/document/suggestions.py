"""Finds the word that a misspelled word was probably meant to be."""

from collections.abc import Collection


def closest(word: str, candidates: Collection[str]) -> str | None:
    """Return the candidate most similar to ``word``, or None if none is similar."""
    if not candidates or len(word) > 128:  # noqa: PLR2004 - the longest valid name
        return None
    # Imported here because only a document with a mistake needs it.
    from difflib import get_close_matches  # noqa: PLC0415

    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None
