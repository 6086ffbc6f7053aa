"""Checks the names of phases, steps, loops and variables."""

import re
from typing import Final

_ALLOWED: Final = re.compile(r"[0-9A-Za-z_-]+")
_CHARACTERS: Final = (
    "Allowed characters are combinations of numbers [0-9], english letters [a-z,A-Z]"
    " and special characters [-_]."
)
_VARIABLE_LENGTHS: Final = range(3, 129)


def name_problem(name: str, kind: str, place: str = "") -> str | None:
    """Return why ``name`` is invalid, in AWSTOE's wording, or None.

    Args:
        name: The name.
        kind: What it names, for example ``step``.
        place: Where that is, for example `` in phase 'build'``.
    """
    if _ALLOWED.fullmatch(name):
        return None
    return f"Invalid {kind} name {_shown(name)}{place}. {_CHARACTERS}"


def valid_name(name: str) -> str:
    """Return the valid name closest to ``name``; empty if it has no allowed character."""
    # Imported here because only a wrong name needs it.
    from unicodedata import normalize  # noqa: PLC0415

    plain = normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^0-9A-Za-z_]+", "-", plain).strip("-")


def name_hint(name: str) -> str:
    """Return the valid name closest to an invalid one, as a hint."""
    valid = valid_name(name)
    if valid and not name.isprintable():
        sign = next(sign for sign in name if not sign.isprintable())
        return f"remove the invisible character U+{ord(sign):04X}: write {valid!r}"
    return f"write {valid!r}" if valid else "write a name of allowed characters"


def variable_problem(name: str, kind: str) -> str | None:
    """Return why ``name`` is invalid for a parameter or constant, or None."""
    if problem := name_problem(name, kind):
        return problem
    if len(name) in _VARIABLE_LENGTHS:
        return None
    return f"Invalid {kind} name {_shown(name)}. Expected 3 to 128 characters, got {len(name)}."


def variable_hint(name: str) -> str:
    """Return what to do about an invalid name of a parameter or constant."""
    if _ALLOWED.fullmatch(name):
        return "use a longer name" if len(name) < _VARIABLE_LENGTHS.start else "use a shorter name"
    return name_hint(name)


def _shown(name: str) -> str:
    return "'" + (name if len(name) <= 140 else name[:137] + "...") + "'"  # noqa: PLR2004 - a line
