"""Chooses what a failure quotes of a program's output: the cause, and the end of each stream. Pure.

The end of a stream is its last lines. If the cause is before them, the cause and the lines after it
come first, then ``[...]``, then fewer of the last lines.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from awstoe import limits
from awstoe.engine import cause, error_signs
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
        found = out_judged.cause if stdout_first else err_judged.cause
        if found is not None:
            text = found.text
        elif out_judged.own or err_judged.own:
            text = err_judged.only([line.text for line in err])
        else:
            text = _last_command([*out, *err])
    text = _shortened(" ".join(text.split()))
    return Quotes(_tail(err, err_judged), _tail(out, out_judged), stdout_first, text)


def _lines(parts: Sequence[bytes]) -> list[Line]:
    found: list[Line] = []
    for part in parts:
        if found:
            found.append(Line(_GAP))
        found += terminal_text.lines(part)
    half = limits.EXAMINED_LINES // 2
    if len(found) > limits.EXAMINED_LINES:  # very short ones
        found = [*found[:half], Line(_GAP), *found[-half:]]
    return [line._replace(text=_shortened(line.text)) for line in found]


def _stdout_first(out: Judged, err: Judged) -> bool:
    if out.cause is not None and err.cause is not None:
        return out.cause.points > err.cause.points
    if out.cause is not None or err.cause is not None:
        return out.cause is not None
    return not err.own and bool(out.own)


def _last_command(lines: Sequence[Line]) -> str:
    """Return the last command that ``set -x`` printed, before ``exit``."""
    return next(
        (
            line.text
            for line in reversed(lines)
            if error_signs.TRACED.match(line.text) and not error_signs.TRACED_EXIT.match(line.text)
        ),
        "",
    )


def _tail(lines: Sequence[Line], judged: Judged) -> str:
    """Return the end of a stream, and its cause."""
    wanted = judged.cause.line if judged.cause is not None else None
    shown: list[str] = []
    place: int | None = None
    for index, line in enumerate(lines):
        if index == wanted:
            place = len(shown)
        elif line.overwritten or not (line.text or (shown and shown[-1])):
            continue
        shown.append(line.text)
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
    start, end = 0, limit * 3 // 4
    sign = error_signs.first_plain_sign(text)
    if sign > end - limit // 4:
        start = sign - limit // 4
        end = start + limit * 3 // 4
    before = f"{_GAP} " if start else ""
    after = f" {_GAP} {text[-limit // 4 :]}" if end < len(text) - limit // 4 else text[end:]
    return f"{before}{text[start:end]}{after}"
