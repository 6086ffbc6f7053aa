"""Finds out why a text is not JSON: what the author took from another language."""

import re
from typing import Final, NamedTuple

from awstoe.document.syntax.json_reader import NotJson
from awstoe.expressions.values import quoted
from awstoe.late_patterns import pattern

_WORDS: Final = {
    "True": "true",
    "False": "false",
    "None": "null",
    "nil": "null",
    "undefined": "null",
    "yes": "true",
    "no": "false",
}
_WORD: Final = pattern(r"[A-Za-z_][\w.-]*")
_YAML: Final = pattern(r"(?:---|- |[\w-]+:(?:\s|$))")
_INI: Final = pattern(r"(?:\[[\w. -]+\]\s*$|[\w.-]+\s*=)", re.MULTILINE)
_NUMBER: Final = pattern(r"[-+.]?\d[\w.+-]*")
_QUOTES: Final = {"'": "single quotes", "`": "backticks"}
_CURLY: Final = "\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
_COMMENTS: Final = ("//", "/*", "#")
_DOCUMENT: Final = pattern(r"^(?:schemaVersion|phases)\s*:", re.MULTILINE)


class Mistake(NamedTuple):
    """A mistake in a text that should be JSON."""

    message: str
    hint: str
    offset: int


def mistake(text: str, error: NotJson) -> Mistake:
    """Return the mistake in ``text`` that the reader of JSON stopped at."""
    offset = error.offset
    rest = text[offset:]
    before = text[:offset].rstrip()
    if not before:
        return _other_language(text, offset)
    if not rest:
        return Mistake(
            f"the file ends where {error.expected} is expected",
            "complete it: is every '{', '[' and '\"' closed?",
            max(len(before) - 1, 0),
        )
    if rest.startswith(_COMMENTS):
        return Mistake(
            "JSON has no comments",
            "remove all comments",
            offset,
        )
    if before.endswith(",") and rest[0] in "}],":
        comma = len(before) - 1
        if rest[0] == ",":
            return Mistake("there are two commas in a row", "remove one of them", offset)
        return Mistake(
            f"the comma before '{rest[0]}' separates nothing",
            "remove this comma: in JSON, the last entry has none after it",
            comma,
        )
    return _in_string(text, error) or _wrong_token(rest, error)


def _other_language(text: str, offset: int) -> Mistake:
    """Return the mistake of a text whose first character is not JSON."""
    start = text[offset:]
    if start.startswith("<"):
        return Mistake("it is HTML or XML", "check where the file comes from", offset)
    if start.startswith(_COMMENTS) and re.search(r"^\s*[{\[]", start, re.MULTILINE):
        return Mistake(
            "JSON has no comments",
            "remove all comments",
            offset,
        )
    if _DOCUMENT.search(start):
        return Mistake(
            "it is a component document",
            "run it without --config: awstoe run FILE",
            offset,
        )
    lines = [line for line in start.splitlines() if line.strip() and not line.startswith("#")]
    if lines and _YAML.match(lines[0].strip()):
        return Mistake(
            "it is YAML",
            'write it as JSON: {"documents": [{"path": "FILE"}]}',
            offset,
        )
    if lines and _INI.match(lines[0].strip()):
        return Mistake(
            "it consists of lines of the form NAME=VALUE",
            'write it as JSON: {"documents": [{"path": "FILE"}]}',
            offset,
        )
    return Mistake(
        f"expected '{{' at the start, got {quoted(_unquoted(start))}",
        'a configuration file is JSON: {"documents": [{"path": "FILE"}]}',
        offset,
    )


def _in_string(text: str, error: NotJson) -> Mistake | None:
    """Return the mistake inside a string, or None if there is none."""
    offset = error.offset
    if error.expected == "an escape":
        slash = text.rfind("\\", 0, offset + 1)
        return Mistake(
            f"the escape {text[slash : slash + 2]!r} does not exist".replace("\\\\", "\\"),
            "write a backslash as two: \"C:\\\\logs\"; or use '/' in paths",
            slash,
        )
    if error.expected == "no control character in a string":
        if text[offset] in "\r\n":
            return Mistake(
                "the string does not end on this line",
                "add the missing '\"', or write a line break in a string as '\\n'",
                text.rfind('"', 0, offset),
            )
        return Mistake(
            f"a string contains the control character U+{ord(text[offset]):04X}",
            f"write it as '\\u{ord(text[offset]):04x}'; a tab is '\\t'",
            offset,
        )
    if error.expected == "'\"'":
        return Mistake("this string does not end", "add the missing '\"' at its end", offset)
    return None


def _wrong_quote(rest: str, offset: int) -> Mistake | None:
    """Return the mistake of a quote that JSON does not have, or None if it is something else."""
    if rest[0] in _QUOTES:
        return Mistake(
            f"JSON has no strings in {_QUOTES[rest[0]]}",
            "write '\"' in place of each of these quotes",
            offset,
        )
    if rest[0] in _CURLY:
        return Mistake(
            f"{rest[0]} is a typographic quote",
            "write '\"' in place of each of these quotes; do not edit JSON in a word processor",
            offset,
        )
    return None


def _wrong_token(rest: str, error: NotJson) -> Mistake:
    """Return the mistake of what is in the place of something else."""
    offset, sign = error.offset, rest[0]
    shown = _unquoted(rest)
    hint = ""
    if found := _wrong_quote(rest, offset) or (
        _wrong_value(rest, offset) if error.expected == "a value" else None
    ):
        return found
    if error.expected == "a key in double quotes" and _WORD.match(rest):
        key = shown.partition(":")[0]
        return Mistake("a key needs double quotes", f'write "{key}"', offset)
    if error.expected == "':'":
        hint = "write ':' between a key and its value"
    elif error.expected == "the end of the file":
        hint = "a configuration file is one JSON object: remove what follows it"
    elif error.expected.startswith("','") and (sign in '"{[' or sign.isalnum()):
        hint = "add the missing comma before it"
    return Mistake(f"expected {error.expected}, got {quoted(shown)}", hint, offset)


def _wrong_value(rest: str, offset: int) -> Mistake | None:
    """Return the mistake of what is in the place of a value, or None if it is unknown."""
    word = _WORD.match(rest)
    if word and word[0] in _WORDS:
        return Mistake(f"JSON has no value {word[0]}", f"write {_WORDS[word[0]]}", offset)
    if word or rest[0] in "/~$":
        return Mistake("a string needs double quotes", f'write "{_unquoted(rest)}"', offset)
    if number := _NUMBER.match(rest):
        return Mistake(
            f"{number[0]} is not a number in JSON", f'for a string, write "{number[0]}"', offset
        )
    return None


def _unquoted(rest: str) -> str:
    """Return a string that has no quotes."""
    found = re.match(r"[^\s,}\]]+", rest)
    return found[0] if found else rest[:1]
