"""What a misspelt word was probably meant to be."""

from collections.abc import Collection


def closest(word: str, candidates: Collection[str]) -> str | None:
    """The candidate most like ``word``, or None when none is like it."""
    if not candidates or len(word) > 128:  # noqa: PLR2004 - the longest name there can be
        return None
    # Only a document with a mistake pays for this import.
    from difflib import get_close_matches  # noqa: PLC0415

    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None
