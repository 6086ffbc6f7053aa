"""Says what to do about YAML that cannot be read, from the message and the lines around it."""

import re
from collections.abc import Sequence
from typing import Final

from awstoe.document.syntax import unquoted
from awstoe.document.syntax.quoting import SEARCHED
from awstoe.expressions.values import quoted
from awstoe.late_patterns import pattern

_COLON: Final = "quote a string that contains ': '"
_LAYOUT: Final = (
    "check the indentation of this line; quote a string as a whole if it contains ': ' or has text"
    " after a closing quote"
)
_TAB: Final = "indent with spaces; YAML does not allow tabs for indentation"
_NO_VALUE: Final = "write a value here, or close the bracket that is open"
_HINTS: Final = (
    ("cannot start any token", "quote a string that starts with @ ` or %"),
    ("tab character", _TAB),
    ("mapping values are not allowed", _COLON),
    ("expected key", _LAYOUT),
    ("expected ',' or ']'", "close the list with ']', or quote a string that starts with '['"),
    ("expected ',' or '}'", "close the mapping with '}', or quote a string that starts with '{'"),
    ("could not find expected ':'", "check that there is a ':' after the key"),
    ("'-' indicator", _LAYOUT),
    ("undefined tag handle", "quote a string that starts with '!'"),
    ("scanning an alias", "quote a string that starts with '*'"),
    ("scanning an anchor", "quote a string that starts with '&' or '*'"),
    ("Unicode character escape", "write a character beyond U+FFFF as \\U followed by 8 digits"),
    (
        "scanning a block scalar",
        "quote a string as a whole if it starts with | or > or has text after a closing quote",
    ),
    ("quoted scalar", "check that the closing quote is there"),
    ("expected node content", _NO_VALUE),
)


_LINES: Final = 200
"""Lines before the problem that are compared with it."""
_FAR: Final = 1 << 30
_STEP: Final = 2
_NEAR: Final = 4
"""Columns by which a line can be displaced."""
_START: Final = pattern(r"([ ]*)((?:-[ ]+)*)")
_KEY: Final = pattern(r"[\"']?[\w.$/-]+[\"']?[ ]*:(?:[ ]|$)")


def hint(message: str, lines: Sequence[str], row: int, column: int) -> str:
    """Return what to do about a syntax error; may be empty.

    Args:
        message: The message, with its context.
        lines: The lines of the document.
        row: The line of the error, from 0.
        column: Its column, from 0.
    """
    if "expected <document start>" in message:
        return _two_tops(lines)
    found = next((hint for fragment, hint in _HINTS if fragment in message), "")
    if row >= len(lines):
        return found
    line = lines[row]
    sign = line[column : column + 1]
    if sign == "\t":
        return _TAB
    if sign and sign in "-,?:" and found is _NO_VALUE:
        return f"quote a string that starts with '{sign}', or remove the '{sign}'"
    if _is_json(lines):
        return _json(lines, row) or found
    if found is _COLON:
        # The place is the second ':' of a line, or the first one of a line that is not a new key.
        if re.search(r":[ ]", line[:column]):
            return unquoted.rewritten(line, column) or found
        return _no_key(lines, row) or _displaced(lines, row) or found
    if found is _LAYOUT and not line[:column].strip(" -"):
        return _displaced(lines, row) or found
    if "could not find expected ':'" in message:
        return _no_key(lines, row) or found
    return unquoted.rewritten(line, column) or found


def _is_json(lines: Sequence[str]) -> bool:
    start = next((line.strip() for line in lines if line.strip()), "")
    return start.startswith(("{", "[{")) and not start.startswith("{{")


def _json(lines: Sequence[str], row: int) -> str:
    """Return what to do about text that is nearly JSON; may be empty."""
    for number, line in enumerate(lines[: row + 1]):
        if re.match(r"[^\"']*(?:\"[^\"]*\"[^\"']*)*(?://|/\*)", line[:SEARCHED]):
            return f"JSON has no comments: remove the one on line {number + 1}"
    before = next((number for number in range(row - 1, -1, -1) if lines[number].strip()), None)
    if before is None or not re.match(r"\s*[\"{\[]", lines[row]):
        return ""
    if re.search(r"([\"}\]0-9]|true|false|null)$", lines[before].rstrip()):
        return f"write a ',' at the end of line {before + 1}"
    return ""


def _two_tops(lines: Sequence[str]) -> str:
    """Return what to do about text after the end of the document's only value."""
    start = next((line.strip() for line in lines if line.strip()), "")
    if start[:1] in ("|", ">"):
        return f"remove the line with {quoted(start)}: it makes the whole file one string"
    for number, line in enumerate(lines):
        if line.rstrip() == "...":
            return f"remove line {number + 1}: '...' ends the document"
        if re.match(r"[-+] {2,}\S", line):
            return "remove the '+' and '-' of a patch at the start of lines, and its old lines"
    return "start all keys at the top of the document in the same column, and close all brackets"


_SIGNS: Final = (
    (r"[ \t]*(?P<sign>//|/\*|<!--|;|--[ ])", "a comment starts with '#', not with '{sign}'"),
    (r"[ \t]*(?P<sign>[\u2022\u00b7\u25aa\u25cf\u2013\u2014])[ \t]", "write '-' for '{sign}'"),
    (r"[ \t]*(?:- )?[A-Za-z]\w*[ ]?(?P<sign>\uff1a)", "write ': ' for '{sign}'"),
    (r"[ \t]*(?:- )?[A-Za-z]\w*(?P<sign>[ ]*=[ ]*)\S", "write ': ' for '{sign}'"),
    (r"[ \t]*-[A-Za-z]\w*:(?:\s|$)", "write a space after the '-'"),
    (r"[ \t]*(?:- )?[A-Za-z]\w*:[^\s:/\\]\S*$", "write a space after the ':'"),
    (r"[ \t]*(?:- )?[A-Za-z]\w*(?:[ ]+[^\s:#]+)?$", "write a ':' after the key"),
)
"""What is wrong with a line that should be a key, and the hint."""


def _no_key(lines: Sequence[str], row: int) -> str:
    """Return a hint if the line at or before ``row`` is not the key or entry that it should be."""
    if re.match(r"[ \t]*-[A-Za-z]\w*:(\s|$)", lines[row]):
        return f"write a space after the '-' on line {row + 1}"
    before = next((number for number in range(row - 1, -1, -1) if lines[number].strip()), None)
    if before is None:
        return ""
    line = lines[before]
    for expression, hint in _SIGNS:
        if found := re.match(expression, line):
            sign = found.groupdict().get("sign", "").strip()
            return f"{hint.format(sign=sign)} on line {before + 1}"
    item = re.match(r"[ ]*(?:-[ ]+)+(?=[^\s#|>&!-])", line)
    if item and not _KEY.match(line, item.end()) and _indentation(lines[row]) > _indentation(line):
        return f"quote the string that starts on line {before + 1} as a whole: it has a ':' in it"
    entry = re.match(r"[ ]*-[ ]", lines[row])
    if entry and re.match(r"[ ]*(- )?[A-Za-z]\w*:[ ]+[^\s#|>&!]", line):
        return f"line {before + 1} has a value after its ':': remove it, or the lines below it"
    if not re.search(r":(\s|$)", line) and _indentation(line) == _indentation(lines[row]):
        return f"line {before + 1} has no ':': write it as 'key: value', or remove it"
    return ""


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _displaced(lines: Sequence[str], row: int) -> str:
    """Return a hint if the line starts next to the columns of the keys or entries around it."""
    start = _START.match(lines[row])
    own = len(start[1]) if start else 0
    entry = bool(start and start[2])
    keys, entries = _open_columns(lines, row)
    near = entries if entry else keys
    if own in near:
        return ""
    distance = min((abs(column - own) for column in near), default=_FAR)
    found = sorted(column for column in near if abs(column - own) == distance)
    columns = " or ".join(str(column + 1) for column in found)
    numbers = " and ".join(str(near[column] + 1) for column in found)
    like = f"lines {numbers} do" if found[1:] else f"line {numbers} does"
    hint = f"start this line in column {columns}, as {like}" if distance <= _NEAR else ""
    if entry and own in keys and start and _KEY.match(lines[row], start.end()):
        remove = "remove the '- ' at the start of this line"
        return f"{hint}, or {remove}" if distance <= _STEP else remove
    return hint


def _open_columns(lines: Sequence[str], row: int) -> tuple[dict[int, int], dict[int, int]]:
    """Return the columns of the mappings and of the lists around ``row``, with their last lines."""
    keys: dict[int, int] = {}
    entries: dict[int, int] = {}
    innermost = _FAR
    for number in range(row - 1, max(-1, row - _LINES), -1):
        found = _START.match(lines[number])
        if found is None or len(found[1]) >= innermost:
            continue
        is_key = _KEY.match(lines[number], found.end())
        if is_key:
            keys.setdefault(found.end(), number)
        if found[2]:
            entries.setdefault(len(found[1]), number)
        if is_key or found[2]:
            innermost = len(found[1])
    return keys, entries
