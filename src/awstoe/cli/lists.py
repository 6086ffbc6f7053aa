"""Reads option values that are lists, separated by commas."""

import os
from collections.abc import Sequence

from awstoe.errors import UsageError


def comma_list(values: Sequence[str] | None, option: str) -> tuple[str, ...]:
    r"""Return the entries of a list option that may be given several times; ``\,`` is a comma.

    Raises:
        UsageError: An entry is empty.
    """
    entries: list[str] = []
    for value in values or ():
        for entry in split_commas(value):
            if not entry.strip():
                raise UsageError(
                    f"{option}: empty entry in {value!r}",
                    hint="remove the comma that separates nothing"
                    if value.strip()
                    else "give a value, or remove the option",
                )
            entries.append(entry.strip())
    return tuple(entries)


def document_list(values: Sequence[str] | None) -> tuple[str, ...]:
    """Return the documents of ``--documents``.

    Raises:
        UsageError: An entry is empty, or the comma is part of the name of a document.
    """
    for value in values or ():
        entries = [entry.strip() for entry in split_commas(value)]
        if len(entries) > 1 and os.path.isfile(value) and not all(map(os.path.exists, entries)):
            raise UsageError(
                f"--documents: {value!r} means {len(entries)} documents: {', '.join(entries)}",
                hint=f"for the file with this name, omit --documents, or write"
                f" {with_escaped_commas(value)}",
            )
    return comma_list(values, "--documents")


def split_commas(text: str) -> list[str]:
    r"""Split ``text`` at commas; ``\,`` is a comma, and any other backslash is kept."""
    if "\\," not in text:
        return text.split(",")
    return [part.replace("\0", ",") for part in text.replace("\\,", "\0").split(",")]


def with_escaped_commas(text: str) -> str:
    r"""Return ``text`` as one entry of a list: its commas as ``\,``."""
    return text.replace(",", "\\,")
