"""Reads the values of ``--parameters``, and recognizes the forms that other tools have."""

import re
from collections.abc import Sequence
from typing import Final

from awstoe.cli.lists import split_commas, with_escaped_commas
from awstoe.errors import UsageError

_FORM: Final = "expected name=value"
_COLON: Final = re.compile(r"\s*[\"']?([\w-]{2,})[\"']?\s*:\s*(.*)", re.DOTALL)
_COMMA_HINT: Final = "if the comma before it is part of a value, write it as '\\,'"


def read(values: Sequence[str] | None) -> dict[str, str]:
    """Return the values of ``--parameters NAME=VALUE,...``.

    Raises:
        UsageError: An entry has no name or no value, or a name is given twice.
    """
    found: dict[str, str] = {}
    for value in values or ():
        _reject_other_form(value)
        entries = split_commas(value)
        for position, entry in enumerate(entries):
            name, equals, text = entry.partition("=")
            name = name.strip()
            if not name or not equals:
                raise UsageError(
                    f"--parameters: {_FORM}, got {entry!r}", hint=_form_hint(entries, position)
                )
            if not text:
                raise UsageError(
                    f"--parameters: the parameter {name} has no value",
                    hint="remove it to use its default; for an empty value, use --config",
                )
            if name in found:
                raise UsageError(f"--parameters: the parameter {name} is given twice")
            found[name] = text
    return found


def _form_hint(entries: list[str], position: int) -> str:
    """Return what to write instead of an entry that has no name or no ``=``."""
    entry = entries[position].strip()
    if not entry and len(entries) > 1:
        return "remove the comma that separates nothing; write a comma inside a value as '\\,'"
    if pair := _COLON.fullmatch(entry):
        hint = _write(pair[1], pair[2].strip().strip("\"'"))
    elif entry.startswith("="):
        hint = f"write the parameter's name before {entry}"
    elif re.fullmatch(r"[\w-]+", entry):
        hint = f"write {entry}=VALUE"
    else:
        hint = "write NAME=VALUE; separate several with commas"
    return f"{hint}; {_COMMA_HINT}" if position else hint


def _write(name: str, value: str) -> str:
    example = f", here --parameters {_shell_word(_pair(name, value))}" if value else ""
    return f"write {name}=VALUE{example}"


def _pair(name: str, value: object) -> str:
    text = value if isinstance(value, str) else _as_json(value)
    return f"{name}={with_escaped_commas(text)}"


def _as_json(value: object) -> str:
    import json

    return json.dumps(value)


def _shell_word(text: str) -> str:
    import shlex

    return shlex.quote(text)


def _reject_other_form(value: str) -> None:
    """Reject JSON and names of files, which cannot be NAME=VALUE.

    Raises:
        UsageError: It is one of them.
    """
    start = value.lstrip()
    if start.startswith(("{", "[")):
        pairs = _pairs(start)
        hint = "write NAME=VALUE; for JSON, write a configuration file and use --config"
        if pairs:
            names = ",".join(f"{name}=VALUE" for name, _ in pairs)
            example = ",".join(_pair(name, given) for name, given in pairs)
            hint = f"write {names}, here --parameters {_shell_word(example)}"
        raise UsageError(f"--parameters: {_FORM}, got JSON: {value!r}", hint=hint)
    if start.startswith(("file://", "@")):
        raise UsageError(
            f"--parameters: {_FORM}, got the name of a file: {value!r}",
            hint="write the documents and their parameters into a JSON file and use --config FILE",
        )


def _pairs(text: str) -> list[tuple[str, object]]:
    """Return the names and values in a JSON object, or in a list of ``{name, value}`` objects."""
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        # Shells remove the quotes: {"Who": 1} arrives as {Who: 1}.
        pair = _COLON.fullmatch(text.strip().strip("{}[]"))
        return [(pair[1], pair[2].strip().strip("\"'"))] if pair and "," not in text else []
    if isinstance(found, dict):
        return list(found.items())
    listed = (
        [
            {key.lower(): each for key, each in item.items()}
            for item in found
            if isinstance(item, dict)
        ]
        if isinstance(found, list)
        else []
    )
    pairs = []
    for item in listed:
        name = item.get("name", item.get("parameterkey", item.get("key")))
        if isinstance(name, str):
            pairs.append((name, item.get("value", item.get("parametervalue", "VALUE"))))
    return pairs
