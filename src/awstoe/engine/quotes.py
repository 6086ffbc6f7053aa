"""Chooses what a failure quotes of a program's output: the cause, and the end of each stream. Pure.

The end of a stream is its last lines. If the cause is before them, the cause and the lines after it
come first, then ``[...]``, then fewer of the last lines.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.engine import cause
from awstoe.engine.cause import Judged
from awstoe.host.process import terminal_text
from awstoe.host.process.terminal_text import Line

_GAP: Final = "[...]"
_LINES_AFTER_CAUSE: Final = 5


class Quotes(NamedTuple):
    """What a failure quotes."""

    stderr_tail: str
    stdout_tail: str
    stdout_first: bool
    """Whether standard output says more about the failure than standard error."""
    cause: str
    """The line that a person would quote; empty if none is better than the others."""


def quotes(
    stdout: Sequence[bytes],
    stderr: Sequence[bytes],
    *,
    exit_code: int | None = None,
    script: str = "",
) -> Quotes:
    """Return what to quote.

    Args:
        stdout: Standard output: all of it, or its beginning and its end.
        stderr: The same for standard error.
        exit_code: How the program ended; None if it was ended from outside, for example because it
            timed out. Then no line is a cause.
        script: The script that the program ran, which may be in its output.
    """
    out, err = _lines(stdout), _lines(stderr)
    out_judged, err_judged = cause.judge(
        [line.text for line in out], [line.text for line in err], exit_code, script
    )
    stdout_first = _stdout_first(out_judged, err_judged)
    text = ""
    if exit_code is not None:
        text = _cause(out, out_judged, err, err_judged, stdout_first=stdout_first)
    return Quotes(_tail(err, err_judged), _tail(out, out_judged), stdout_first, text)


def _lines(parts: Sequence[bytes]) -> list[Line]:
    found: list[Line] = []
    for part in parts:
        if found:
            found.append(Line(_GAP))
        found += terminal_text.lines(part)
    return found


def _stdout_first(out: Judged, err: Judged) -> bool:
    if out.cause is not None and err.cause is not None:
        return out.cause.points > err.cause.points
    if out.cause is not None or err.cause is not None:
        return out.cause is not None
    return not err.own and bool(out.own)


def _cause(
    out: Sequence[Line],
    out_judged: Judged,
    err: Sequence[Line],
    err_judged: Judged,
    *,
    stdout_first: bool,
) -> str:
    found = out_judged.cause if stdout_first else err_judged.cause
    if found is not None:
        return _shortened(" ".join(found.text.split()))
    own = [out[i].text for i in out_judged.own] + [err[i].text for i in err_judged.own]
    return _shortened(" ".join(own[0].split())) if len(own) == 1 else ""


def _tail(lines: Sequence[Line], judged: Judged) -> str:
    """Return the end of a stream, and its cause."""
    wanted = judged.cause.index if judged.cause is not None else None
    shown: list[str] = []
    place: int | None = None
    for index, line in enumerate(lines):
        if index == wanted:
            place = len(shown)
        elif line.overwritten or not (line.text or (shown and shown[-1])):
            continue
        shown.append(_shortened(line.text))
    last = _last(shown, limits.QUOTED_LINES, limits.QUOTED_BYTES)
    if place is None or place >= len(shown) - len(last):
        return "\n".join(last)
    head = _first(
        shown[place : place + 1 + _LINES_AFTER_CAUSE],
        limits.QUOTED_BYTES // 2,
    )
    rest = shown[place + len(head) :]
    room = limits.QUOTED_BYTES - _size(head) - len(_GAP) - 1
    last = _last(rest, limits.QUOTED_LINES - len(head) - 1, room)
    gap = [_GAP] if len(last) < len(rest) else []
    return "\n".join([*head, *gap, *last])


def _first(lines: Sequence[str], max_bytes: int) -> list[str]:
    """Return the first lines, always one, up to a size."""
    count = 1
    while count < len(lines) and _size(lines[: count + 1]) <= max_bytes:
        count += 1
    return list(lines[:count])


def _last(lines: Sequence[str], max_lines: int, max_bytes: int) -> list[str]:
    """Return the last lines, up to a number and a size."""
    found: list[str] = []
    size = 0
    for line in reversed(lines[-max_lines:]):
        size += _size([line])
        if size > max_bytes:
            break
        found.append(line)
    return found[::-1]


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode(errors="backslashreplace")) + 1 for line in lines)


def _shortened(text: str) -> str:
    """Return ``text`` without the middle of what is too long, but with what looks like an error."""
    limit = limits.QUOTED_LINE_CHARACTERS
    if len(text) <= limit:
        return text
    start, end = cause.sign(text)
    if end <= limit // 2 or start >= len(text) - limit // 4:
        return f"{text[: limit * 3 // 4]} {_GAP} {text[-limit // 4 :]}"
    start = max(0, start - limit // 4)
    middle = text[start : start + limit]
    return f"{_GAP if start else ''} {middle} {_GAP}".strip()
