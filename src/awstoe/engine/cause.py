"""Finds the line of a program's output that says why the program failed. Pure.

Programs report errors in their own words, and nothing marks the line that a person would quote. So
each line gets points for what it looks like, and two rules choose among the best lines.

Points, for signs of an error:

- a label, as in ``error: ...``, ``[ERROR] ...``, ``E: ...``, ``FAILED ...``, ``make: *** ...``,
- the name of an exception, also at the end of a traceback,
- what the system or a program says when something is not possible: ``No such file or directory``,
  ``cannot ...``, ``... not found``; weaker words count less,
- a position in a source file, or in the script,
- what a shell says when it ends with the exit code that the program had (126, 127, 128 + N).

Deductions, for what only mentions errors:

- labels of warnings, notes and information,
- help: what follows ``usage:`` except a last line, descriptions of options, commands that look
  like shell source,
- frames of a stack,
- a result that another line must explain: an exit code, a count, the place of a log, ``Build
  failed``. Such a line is used only if nothing better was printed.

Lines of the script itself, which ``set -v`` and ``set -x`` print, are not taken if there are
others.

Choice: the last error decides, because what follows an error shows that the program continued after
it. Errors that are close to each other belong together. Among those, the best line is taken; among
equal ones, the first of the program that reported last, because a program's first error often
causes its others. Of exceptions it is the last, because each names the one that caused it.

Without any sign, a single line on standard error is taken, unless it is a warning; and if nothing
but commands of ``set -x`` was printed, the last command.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from awstoe.engine import error_signs

_LABEL_POINTS: Final = 4
_EXCEPTION_POINTS: Final = 4
_BARE_EXCEPTION_POINTS: Final = 2
_STRONG_POINTS: Final = 3
_WEAK_POINTS: Final = 2
_POSITION_POINTS: Final = 2
_TRACEBACK_POINTS: Final = _LABEL_POINTS + _STRONG_POINTS + 1
_EXIT_CODE_POINTS: Final = 3
_RESULT_POINTS: Final = 1
"""Up to this many points for a line that reports only a result."""
_DEDUCTION: Final = 5

_EVIDENCE: Final = 3
"""From this many points on, a line is an error."""
_WEAKER_BY: Final = 4
"""A later error counts if it has up to this many points less than the best one."""
_EXAMINED: Final = 300
"""How many lines at each end are examined, regardless of what they are."""
_TOGETHER: Final = 8
"""Errors with up to this many other lines between them belong together."""

_SIGNAL_OFFSET: Final = 128


class Cause(NamedTuple):
    """The line that says why a program failed."""

    line: int
    points: int
    text: str
    """The line on its own, with the next one if that has the details."""


class Judged(NamedTuple):
    """One stream of output with what its lines look like."""

    cause: Cause | None
    own: tuple[int, ...]
    """The lines that are the program's own: neither blank nor echoed script source."""

    def only(self, lines: Sequence[str]) -> str:
        """Return the only line of its own; empty if there are more, or if it is a warning."""
        if len(self.own) != 1 or error_signs.OTHER_LABEL.search(lines[self.own[0]]):
            return ""
        return lines[self.own[0]]


def judge(
    stdout: Sequence[str], stderr: Sequence[str], exit_code: int | None = None, script: str = ""
) -> tuple[Judged, Judged]:
    """Find the cause among the lines of each output stream.

    Args:
        stdout: The lines of standard output, without control characters.
        stderr: The same for standard error.
        exit_code: How the program ended; None if it was ended from outside.
        script: The script that it ran, which may be in its output.
    """
    echo = _Echo(script)
    # The shell prints the script on standard error, unless that is standard output, too.
    err = echo.others(stderr)
    out = echo.others(stdout)
    return (
        Judged(_cause(stdout, out, exit_code), out),
        Judged(_cause(stderr, err, exit_code), err),
    )


# --- the choice ----------------------------------------------------------------------------------


def _cause(lines: Sequence[str], own: Sequence[int], exit_code: int | None) -> Cause | None:
    texts = _texts(lines, own)
    points = _points(lines, own, texts, exit_code)
    if not points:
        return None
    best = max(points.values())
    limit = max(_EVIDENCE, best - _WEAKER_BY) if best >= _EVIDENCE else best
    top: list[int] = []
    top_rank = (0, False)
    between = 0
    for index in reversed(own):
        if points.get(index, 0) < limit:
            # Stacks and results show no progress of the program.
            between += index not in points and not error_signs.FRAME.match(lines[index])
            continue
        if top and between > _TOGETHER:
            break
        between = 0
        rank = (points[index], not lines[index][:1].isspace())
        if rank > top_rank:
            top, top_rank = [index], rank
        elif rank == top_rank:
            top.append(index)
    chosen = top[0]
    raised = points[chosen] == _TRACEBACK_POINTS or error_signs.EXCEPTION.search(lines[chosen])
    if not (raised or lines[chosen].startswith("Caused by:")):
        program = _program(lines[chosen])
        for index in top:
            if _program(lines[index]) != program:
                break
            chosen = index
    return Cause(chosen, points[chosen], texts[chosen])


def _examined(lines: Sequence[str], own: Sequence[int]) -> Iterable[int]:
    """Return the places in ``own`` of the lines to examine.

    In a long output, these are the lines at its ends, and those with words that most errors have.
    """
    if len(own) <= 2 * _EXAMINED:
        return range(len(own))
    end = len(own) - _EXAMINED
    found = [
        place for place in range(_EXAMINED, end) if error_signs.has_plain_sign(lines[own[place]])
    ]
    if len(found) > 2 * _EXAMINED:
        found = [*found[:_EXAMINED], *found[-_EXAMINED:]]
    return (*range(_EXAMINED), *found, *range(end, len(own)))


def _texts(lines: Sequence[str], own: Sequence[int]) -> dict[int, str]:
    """Return what the lines say that are examined, with details from the next line."""
    texts = {}
    for place in _examined(lines, own):
        index = own[place]
        line = lines[index]
        text = texts[index] = error_signs.METER.sub("", line).strip()
        inner = lines[own[place + 1]] if place + 1 < len(own) else ""
        if text.endswith(":") or (
            _indent(inner) > _indent(line)
            and _is_bare_label(text)
            and not error_signs.FRAME.match(inner)
        ):
            texts[index] = f"{text} {inner.strip()}"
    return texts


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_bare_label(text: str) -> bool:
    """Whether a line announces an error but does not say which."""
    label = error_signs.LABEL.search(text)
    if label is None:
        return False
    lower = error_signs.lower(text)
    return not (error_signs.STRONG.search(lower) or error_signs.WEAK.search(lower, label.end()))


# --- points --------------------------------------------------------------------------------------


def _points(
    lines: Sequence[str], own: Sequence[int], texts: Mapping[int, str], exit_code: int | None
) -> dict[int, int]:
    """Return the points of all lines that have some."""
    found: dict[int, int] = {}
    helping = False
    in_traceback = False
    before = -1
    for index in own:
        text = texts.get(index)
        line = lines[index]
        above, before = before, index
        if text is None:
            continue
        if error_signs.HELP_STARTS.match(line):
            helping = True
            continue
        bare = error_signs.BOX.sub("", error_signs.TIME.sub("", text))
        points = _line_points(bare, line, exit_code)
        if in_traceback and not line[:1].isspace():
            in_traceback = False
            points = _raised_points(line)
        if error_signs.TRACEBACK.search(line):
            in_traceback = True
            continue
        if not points:
            continue
        labeled = error_signs.LABEL.search(bare) is not None
        if helping:
            # Some programs print their usage first, and then what is wrong.
            helping = line[:1].isspace() or not (labeled or index == own[-1])
            points -= _DEDUCTION * helping
        error_above = found.get(above, 0)
        if error_above > _RESULT_POINTS and not labeled and _indent(line) > _indent(lines[above]):
            points = min(points, error_above - 1)  # it continues that line
        if points > 0:
            found[index] = points
    return found


def _raised_points(line: str) -> int:
    """Return the points of the line after the frames of a traceback."""
    is_result = error_signs.RESULT.search(error_signs.lower(line))
    return _RESULT_POINTS if is_result else _TRACEBACK_POINTS


def _line_points(text: str, line: str, exit_code: int | None) -> int:
    """Return the points of a line.

    Args:
        text: What it says.
        line: The whole line, with its indentation.
        exit_code: How the program ended.
    """
    lower = error_signs.lower(text)
    for harmless in error_signs.HARMLESS.finditer(lower):
        blank = " " * len(harmless[0])
        text = f"{text[: harmless.start()]}{blank}{text[harmless.end() :]}"
        lower = f"{lower[: harmless.start()]}{blank}{lower[harmless.end() :]}"
    label = error_signs.LABEL.search(text)
    weak = error_signs.WEAK.search(lower, label.end() if label else 0)
    points = _LABEL_POINTS if label else 0
    if not label and (exception := error_signs.EXCEPTION.search(text)):
        points += _EXCEPTION_POINTS if exception[1] else _BARE_EXCEPTION_POINTS
    if error_signs.STRONG.search(lower):
        points += _STRONG_POINTS
    elif weak:
        points += _WEAK_POINTS
    if not points:
        return 0
    if error_signs.POSITION.search(text):
        points += _POSITION_POINTS
    points += _exit_code_points(text, exit_code)
    other = error_signs.OTHER_LABEL.search(text)
    if other and not (label and label.start() < other.start()):
        points -= _DEDUCTION
    if error_signs.OPTION.match(line) or error_signs.FRAME.match(line) or _is_shell(line):
        points -= _DEDUCTION
    if error_signs.RESULT.search(lower):
        points = min(points, _RESULT_POINTS)
    return points


def _exit_code_points(text: str, exit_code: int | None) -> int:
    if exit_code is None:
        return 0
    pattern = error_signs.OF_EXIT_CODE.get(exit_code)
    if pattern is None and exit_code > _SIGNAL_OFFSET:
        pattern = error_signs.OF_SIGNAL
    return _EXIT_CODE_POINTS if pattern is not None and pattern.search(text) else 0


def _program(line: str) -> str:
    """Return the name that a line starts with; the same for all messages about source files."""
    if error_signs.POSITION.search(line):
        return ":"
    name = error_signs.PROGRAM.match(error_signs.TIME.sub("", line))
    return name[1] if name else ""


# --- script source in the output -----------------------------------------------------------------


def _is_shell(line: str) -> bool:
    """Whether a line looks like a command in a shell script."""
    signs = len(error_signs.SHELL_SIGN.findall(line))
    return signs > 1 or (signs == 1 and error_signs.SHELL_START.match(line) is not None)


def _prompt(script: str) -> re.Pattern[str] | None:
    """Return what the commands start with that ``set -x`` prints, if the script sets that.

    Bash repeats its first character, once for each level of nesting.
    """
    found = error_signs.PROMPT.search(script)
    text = next(filter(None, found.groups()), "") if found else ""
    if not text or text[0].isalnum() or text[0] in "$`\\ ":
        return None
    pattern, place = f"{re.escape(text[0])}+", 1
    for expansion in error_signs.EXPANSION.finditer(text, 1):
        pattern += re.escape(text[place : expansion.start()])
        if len(expansion[0]) == 1:  # its value is unknown
            return re.compile(pattern)
        pattern, place = pattern + r"\d+", expansion.end()
    return re.compile(pattern + re.escape(text[place:].rstrip()))


def _starts_with_label(text: str) -> bool:
    """Whether a line starts with the label of an error, possibly in brackets."""
    label = error_signs.LABEL.search(text)
    return label is not None and label.start() <= 1


class _Echo:
    """Recognizes the lines that bash prints because of ``set -v`` and ``set -x``.

    Args:
        script: The script.
    """

    def __init__(self, script: str) -> None:
        self._prompt = _prompt(script)
        verbose = error_signs.VERBOSE.search(script)
        printed = script[verbose.end() :] if verbose else ""
        self._printed = Counter(text for line in printed.splitlines() if (text := line.strip()))

    def others(self, lines: Iterable[str]) -> tuple[int, ...]:
        """Return the lines that are neither blank nor printed by bash. Call once per stream."""
        found = []
        for index, line in enumerate(lines):
            text = line.strip()
            if (
                not text
                or error_signs.TRACED.match(line)
                or (self._prompt and self._prompt.match(text) and not _starts_with_label(text))
            ):
                continue
            if self._printed[text]:
                # Each line of the script is printed once: a loop is printed before it runs.
                self._printed[text] -= 1
                continue
            found.append(index)
        return tuple(found)
