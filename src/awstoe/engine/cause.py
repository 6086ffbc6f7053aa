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
- help: what follows ``usage:``, descriptions of options, commands that look like shell source,
- frames of a stack,
- a result that another line must explain: an exit code, a count, the place of a log, ``Build
  failed``. Such a line is used only if nothing better was printed.

Lines of the script itself, which ``set -v`` and ``set -x`` print, are never taken.

Choice: the last error decides, because what follows an error shows that the program continued after
it. Errors that are close to each other belong together. Among those, the best line is taken; among
equal ones, the first of the program that reported last, because a program's first error often
causes its others. Of exceptions it is the last, because each names the one that caused it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

# --- what a line looks like ----------------------------------------------------------------------

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
_TOGETHER: Final = 8
"""Errors with up to this many other lines between them belong together."""

_PROBLEM: Final = r"fatal|panic|error|err|exception|failure|critical|crit|alert|emerg|severe"
_LABEL: Final = re.compile(
    rf"""
      (?:^|(?<=[\s\[(<|:"*>;]))(?i:internal\ |fatal\ |{_PROBLEM})*(?i:{_PROBLEM})
          (?:\[[\w-]+\])? \s* (?: :(?!:) | !(?!=) | \] | >(?=\s) | \ [A-Z]{{1,6}}\d+\b | \ -\ )
    | (?<![\w./=-]) (?:ERROR|FATAL|CRITICAL|SEVERE|EMERG) (?![\w/=-]|\.\w)
    | ^(?:E|F|ERR|Err): (?=\s|\d)  | ^E\s{{2,}}\S | ^\[E\] | ^E\d{{4}}\b
    | ^[\w./+-]+:\ (?:fatal\ |internal\ )?error\b | ^[a-z][\w-]*\ (?:error|ERR!)\s+\S
    | ^\W*(?:FAIL|FAILED|FAILURE|not\ ok)\b | ^\s*[✗✘×✖❌⨯]\s?\S | (?:^|\s)\*\*\*\s\S
    | ^Caused\ by: | ^Exception\ in\ thread | ^\s*thread\ '.*'.*\ panicked
    """,
    re.VERBOSE,
)
_EXCEPTION: Final = re.compile(
    r"""(?:^|[\s"'(])(?:[\w$]+[.:\\]+)*[A-Z]\w*(?:Error|Exception|Failure|Fault)\b(?:(:\s*\S)|$)""",
)
_STRONG: Final = re.compile(
    r"""(?ix)
      \b(?:cannot|can't|can\ not|could(?:\ not|n't)|unable\ to|fail(?:ed|s|ure)?\ (?:to|with)
    | (?:was|were|is|are|do(?:es)?|did|has|have|had)(?:\ not|n't)\b(?!\ (?:required|needed|set\ up))
    | not\ (?:found|permitted|allowed|supported|valid|installed|recognized|available|exist|running
        |be|a|in|enough|defined|declared|implemented|registered|writable|readable|executable
        |reachable|resolved|authorized|match)
    | no\ (?:such|space|match|matching|rule|route|module|public\ key|provider|package|candidate)
    | nothing\ provides | permission\ denied | (?:access|authorization)\ (?:is\ |was\ )?denied
    | denied | refused | forbidden | unauthorized | unsupported | unrecognized | unresolved
    | undefined | undeclared | unbound | unreachable | unhandled | uncaught | unavailable
    | out\ of\ (?:memory|range|space|bounds|disk) | timed\ out | time-?out\ (?:was|after|waiting)
    | reset\ by\ peer | broken\ pipe | (?:syntax|parse|type|value|key|name|import|link(?:er)?)\ error
    | segmentation\ fault | core\ dumped | bus\ error | killed | aborted | illegal\ instruction
    | stack\ overflow | mismatch(?:ed)? | corrupt(?:ed)? | incompatible | unsatisfied
    | violat(?:ed|ion) | temporary\ failure | deadlock | \w+\ already\ exists
    | (?:got|actual|found|received|but\ was)\b.*\b(?:want(?:ed)?|expected)
    | (?:want(?:ed)?|expected)\b.*\b(?:got|actual|found|received|but\ was) | [=,]\ want
    )(?![\w-])
    | (?:^|\s)(?:4\d\d|5\d\d)\ (?:not\ found|forbidden|unauthorized|internal|bad|service)
    """
)
_WEAK: Final = re.compile(
    r"""(?ix)
      (?<![\w./=-])(?:errors?|failed|failures?|fails|fatal|failing|invalid|illegal|unknown
    | unexpected|missing|broken|bad|wrong|exceed(?:s|ed)|expired|conflict(?:s|ing)?|crash(?:ed)?
    | rejected|required?s?|requires|must|refus(?:es|ing)| too\ (?:many|few|large|long|short|old|small
    | new|big)|in\ use|incorrect|assert(?:ion)?|panic(?:ked)?|stopp(?:ed|ing)|terminated|traceback
    | E(?:NOENT|ACCES|PERM|EXIST|NOSPC|CONN\w+|TIMEDOUT|NOTFOUND|AI_AGAIN|NOMEM)
    | unsigned | vulnerab\w+ | exception | problem | lacks? | unterminated | unclosed | truncated)
    (?![\w=-]|/|\.\w)
    """
)
_POSITION: Final = re.compile(
    r"""(?x)
      ^\s*(?:\[\w+\]\s+)?["']?[\w./\\+@~-]*\w\.?\w*["']? (?: :\d+(?::\d+)?: | \(\d+(?:,\d+)*\)\s?: | :\[\d+,\d+\] )
    | \bline\ \d+: | \bat\ \S+:\d+\b
    """
)
_HARMLESS: Final = re.compile(
    r"""(?ix)
      \b(?:no|0|zero|without(?:\ any)?)\ (?:\w+\ )?(?:errors?|failures?|failed|warnings?|problems?)\b
    | \b(?:errors?|failed|failures?|fatal|missing|broken|skipped)\s*[:=]\s*0\b
    | \b(?:not\ (?:required|needed|necessary|changed))\b
    | \bignor(?:ed|ing)\s+(?:errors?|failures?)\b
    | \bon[- ](?:error|failure)\b
    """
)
_OTHER_LABEL: Final = re.compile(
    r"""(?x)
      ^\W{0,3}(?i:warn(?:ing)?s?|note|info|debug|notice|hint|trace|verbose|deprecat\w+|tip|ok|pass(?:ed)?
        |success|help)\b\s*(?:[:\]!)>]|\[|-\ |\d|$|(?=\ \w+\ ERR!)|\ (?=[a-z@]))
    | ^[NWI]:\s
    | (?:^|[\s\[(<|:])(?i:warning|warn|note|notice|info|debug|hint|deprecated)(?::|\]|\ \[|\ [A-Z]{1,4}\d+:)
    | ^(?:\S+\ ){0,3}\W?(?:INFO|DEBUG|NOTICE|TRACE|WARN|WARNING|PASSED|PASS)\b
    | \bnpm\ (?:warn|WARN|notice)\b
    """
)
_RESULT: Final = re.compile(
    r"""(?ix)
      \b(?:exit(?:ed|s|ing)?|return(?:ed|s)?|ended|finished|completed?|failed|terminated|stopped)\b
        .{0,60}\b(?:(?:exit\ )?(?:code|status)|non-?zero|errorlevel)\b
    | \b(?:exit|return)\ (?:code|status|value)\b | \b(?:code|status)[:= ]*\d+\W*$
    | \*\*\*\ .*\bError\ \d+$ | \berror\ code\ \(?\d
    | \b(?:see|check|view|refer\ to|consult|look\ at|found\ in|written\ to|saved\ (?:in|to))\b
        .*\b(?:logs?|above|below|details?|information|documentation|docs?|output|report)\b
    | \bcomplete\ log\b | \bfor\ (?:more|further|full)\ (?:details|information|help|output)\b
    | \btry\ .*(?:--?help|\bman\b) | \b(?:re-?)?run\ (?:with|maven|again|the)\b | \[help\ \d\]
    | ^\W*(?:\w+:\W*)?(?:the\ )?(?:build|compilation|command|script|task|step|job|tests?|installation
        |process|run|configur\w+|pipeline|provision\w*|deploy\w*|setup|recipe|subcommand|check|install
        |target|execution|operation|it|bash|make)\b(?:[\w '\"./:-]{0,40}?)
        \b(?:failed|failures?|incomplete|terminated|aborted|stopped|unsuccessful)\b
        (?:\ with\ an?\ (?:exception|error))?(?:\ (?:in|after)\ [\w.\ ]+)?\W*$
    | ^FAIL\s+\S+\s+[\d.]+m?s$
    | \bcompilation\ (?:terminated|aborted|error|failure) | \berrors?\ (?:was|were)?\s*(?:occurred|encountered|found|detected)
    | \bdue\ to\ (?:\d+\ |the\ |a\ )?(?:previous|above|preceding)
    | \bcould\ not\ compile\b | \ball\ warnings\ being\ treated | \bnot\ recoverable\b
    | \b\d+\ (?:\w+\ )?(?:errors?|failures?|failed|fail|warnings?|error\(s\)|problems?)\b(?!:)
    | \b(?:errors?|failures?|failed)\s*[:=]\s*\d+
    | ^\W*(?:\w+\W+)?(?:failed|fail|error|errors|failure|fatal|aborted|aborting|stopped)\W*$
    | \bmay\ (?:be|have\ been)\ (?:ignored|due|caused) | \bhave\ been\ ignored\b
    | \bsome\ (?:index\ files|errors|packages|tests|files|steps|checks)\b
    | \b(?:test|build)s?\ failed\.?\s+see\b | (?-i:\bTo)\ (?:see|get|view|fix|avoid|resolve|address)\b
    | \bthis\ (?:is|was|error)\ (?:\w+\ )?(?:related|caused|probably|likely|usually|originates)
    """
)
_HELP_STARTS: Final = re.compile(
    r"""(?ix)
      ^\s*(?:usage|synopsis):? (?:\s|$)
    | ^\s*(?:[\w-]+\ ){0,2}(?:options|arguments|commands|flags|examples?|subcommands|parameters)
        (?:\ [\w(]+)?:\s*$
    """
)
_OPTION: Final = re.compile(r"^\s*(?:--?[\w?@#\[]|/\w+\s{2,})")
_FRAME: Final = re.compile(
    r"""(?x)
      ^\s+(?:at\s|File\ "|from\s\S+:\d|in\s`|\.\.\.\s\d+\ (?:more|common)|\d+:\s+(?:0x)?[\da-f]+\b|\#\d+\s)
    | ^\s*goroutine\ \d+ | ^\s*\.{3}\ \d+\ more | ^At\ .*:\d+\ char:\d+ | ^\s*\^+[~^]*$
    | ^\s*(?:throw|raise|return|assert|import|from|print|require|def|if|for)\b.*[(;:'"]
    """
)
_SHELL_START: Final = re.compile(
    r"""(?x)
      ^\s*(?: echo|printf|export|local|readonly|declare|function|trap|exec|source|eval|set|unset
        | if\ !?\ ?(?:\[|test|command|grep|\w) | elif | then | fi | do | done | esac | else
        | case\ .*\ in | for\ \w+\ in | while\ | until\ | \w+=\S*\ ?\$?
        )(?:\s|$|;|["'(\[])
      .*
    """
)
_SHELL_SIGN: Final = re.compile(
    r"""\$[\w{(@?*#"']|;;|\|\||&&|>&\d|\d?>\s?/|;\s(?:then|do|exit|return|fi|done)\b|\bexit\s\d|\s\|\s\w+\s-|\\$"""
)
_TRACED: Final = re.compile(r"^\s*\++\s")
_PROMPT: Final = re.compile(r"""(?:^|[\s;])PS4=\$?["']*([^\s\w"'$]+)""")
_VERBOSE: Final = re.compile(
    r"\bset\s+(?:-o\s+)?(?:-\w*v|verbose)|\b(?:ba)?sh\s+-\w*v|\bset\s+-o\s+verbose"
)
_TRACEBACK: Final = re.compile(r"Traceback \(most recent call last\)")
_PROGRAM: Final = re.compile(
    r"^\W{0,3}([\w.+-][\w./+-]*)(?:\[[\w-]+\])?(?::|!|\]|\s-\s|\ (?:error|ERR!)\s)"
)
_TIME: Final = re.compile(
    r"""(?x)
      ^\W?(?:\d{4}-\d\d-\d\d[T\ ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|\ ?[+-]\d\d:?\d\d|\ UTC)?\W{0,3}\s?
    | ^\[\s*\d+\.\d+\]\s
    | ^\#\d+\s(?:\d+\.\d+\s)?
    """
)
_METER: Final = re.compile(r"^\s*(?:[\d.:%kKMGT-]+\s+){5,}[\d.]*[kKMGT]?(?=[A-Za-z])")
"""The progress that curl prints before its message, in the same line."""
_BOX: Final = re.compile(r"^[\s│║┃|╷╵>╰╭─━═*]+(?=\S)")

_OF_EXIT_CODE: Final = {
    126: re.compile(r"(?i)permission denied|cannot execute|is a directory|bad interpreter|format"),
    127: re.compile(r"(?i)not found|no such file"),
}
_OF_SIGNAL: Final = re.compile(
    r"(?i)\b(?:killed|segmentation fault|aborted|terminated|bus error|illegal instruction"
    r"|floating point exception|core dumped|trace/breakpoint|hangup|alarm clock)\b"
)
_SIGNAL_OFFSET: Final = 128


class Cause(NamedTuple):
    """The line that says why a program failed."""

    index: int
    points: int
    text: str
    """The line on its own, with the next one if that has the details."""


class Judged(NamedTuple):
    """One stream of output with what its lines look like."""

    cause: Cause | None
    own: tuple[int, ...]
    """The lines that are the program's own: neither blank nor echoed script source."""


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


def sign(line: str) -> tuple[int, int]:
    """Return where the first sign of an error in ``line`` starts and ends; (0, 0) without one."""
    found = [match for pattern in (_LABEL, _STRONG, _EXCEPTION) if (match := pattern.search(line))]
    return min((match.span() for match in found), default=(0, 0))


# --- the choice ----------------------------------------------------------------------------------


def _cause(lines: Sequence[str], own: Sequence[int], exit_code: int | None) -> Cause | None:
    texts = _texts(lines, own)
    points = _points(lines, texts, exit_code)
    if not points:
        return None
    best = max(points.values())
    limit = max(_EVIDENCE, best - _WEAKER_BY) if best >= _EVIDENCE else best
    top: list[int] = []
    last = None
    between = 0
    for index in reversed(own):
        if points.get(index, 0) < limit:
            between += 1
            continue
        if last is not None and between > _TOGETHER:
            break
        last, between = index, 0
        if not top or points[index] > points[top[0]]:
            top = [index]
        elif points[index] == points[top[0]]:
            top.append(index)
    chosen = top[0]
    raised = points[chosen] == _TRACEBACK_POINTS or _EXCEPTION.search(lines[chosen])
    if not (raised or lines[chosen].startswith("Caused by:")):
        program = _program(lines[chosen])
        for index in top:
            if _program(lines[index]) != program:
                break
            chosen = index
    return Cause(chosen, points[chosen], texts[chosen])


def _texts(lines: Sequence[str], own: Sequence[int]) -> dict[int, str]:
    """Return the lines without what is before a message, and with details from the next line."""
    texts = {}
    for place, index in enumerate(own):
        text = texts[index] = _METER.sub("", lines[index]).strip()
        inner = lines[own[place + 1]] if place + 1 < len(own) else ""
        detailed = text.endswith(":") or (
            _indent(inner) > _indent(lines[index])
            and _LABEL.search(text)
            and not (_STRONG.search(text) or _WEAK.search(_LABEL.sub("", text)))
            and not _FRAME.match(inner)
        )
        if detailed:
            texts[index] = f"{text} {inner.strip()}"
    return texts


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


# --- points --------------------------------------------------------------------------------------


def _points(
    lines: Sequence[str], texts: Mapping[int, str], exit_code: int | None
) -> dict[int, int]:
    """Return the points of all lines that have some."""
    found: dict[int, int] = {}
    helping = False
    in_traceback = False
    before = None
    for index, text in texts.items():
        line = lines[index]
        if _HELP_STARTS.match(line):
            helping = True
            continue
        bare = _BOX.sub("", _TIME.sub("", text))
        points = _line_points(bare, line, exit_code)
        if in_traceback and not line[:1].isspace():
            in_traceback = False
            points = _RESULT_POINTS if _RESULT.search(line) else _TRACEBACK_POINTS
        if _TRACEBACK.search(line):
            in_traceback = True
            points = 0
        if helping and points:
            if _LABEL.search(bare) and not line[:1].isspace():
                helping = False
            else:
                points -= _DEDUCTION
        if (
            before is not None
            and _indent(line) > _indent(lines[before])
            and not _LABEL.search(bare)
        ):
            points = min(points, found.get(before, points + 1) - 1)  # it continues that line
        if points > 0:
            found[index] = points
        before = index
    return found


def _line_points(text: str, line: str, exit_code: int | None) -> int:
    """Return the points of a line.

    Args:
        text: What it says.
        line: The whole line, with its indentation.
        exit_code: How the program ended.
    """
    text = _HARMLESS.sub("", text)
    label = _LABEL.search(text)
    weak = _WEAK.search(text, label.end() if label else 0)
    points = _LABEL_POINTS if label else 0
    if not label and (exception := _EXCEPTION.search(text)):
        points += _EXCEPTION_POINTS if exception[1] else _BARE_EXCEPTION_POINTS
    if _STRONG.search(text):
        points += _STRONG_POINTS
    elif weak:
        points += _WEAK_POINTS
    if not points:
        return 0
    if _POSITION.search(text):
        points += _POSITION_POINTS
    points += _exit_code_points(text, exit_code)
    other = _OTHER_LABEL.search(text)
    if other and not (label and label.start() < other.start()):
        points -= _DEDUCTION
    if _OPTION.match(line) or _FRAME.match(line) or _is_shell(line):
        points -= _DEDUCTION
    if _RESULT.search(text):
        points = min(points, _RESULT_POINTS)
    return points


def _exit_code_points(text: str, exit_code: int | None) -> int:
    if exit_code is None:
        return 0
    pattern = _OF_EXIT_CODE.get(exit_code)
    if pattern is None and exit_code > _SIGNAL_OFFSET:
        pattern = _OF_SIGNAL
    return _EXIT_CODE_POINTS if pattern is not None and pattern.search(text) else 0


def _program(line: str) -> str:
    """Return the name that a line starts with; the same for all messages about source files."""
    if _POSITION.search(line):
        return ":"
    name = _PROGRAM.match(_TIME.sub("", line))
    return name[1] if name else ""


# --- script source in the output -----------------------------------------------------------------


def _is_shell(line: str) -> bool:
    """Whether a line looks like a command in a shell script."""
    signs = len(_SHELL_SIGN.findall(line))
    return signs > 1 or (signs == 1 and _SHELL_START.match(line) is not None)


class _Echo:
    """Recognizes the lines that bash prints because of ``set -v`` and ``set -x``.

    Args:
        script: The script.
    """

    def __init__(self, script: str) -> None:
        prompt = _PROMPT.search(script)
        self._prompt = prompt[1][0] if prompt else None
        verbose = _VERBOSE.search(script)
        printed = script[verbose.end() :] if verbose else ""
        self._printed = Counter(text for line in printed.splitlines() if (text := line.strip()))

    def others(self, lines: Iterable[str]) -> tuple[int, ...]:
        """Return the lines that are neither blank nor printed by bash. Call once per stream."""
        found = []
        for index, line in enumerate(lines):
            text = line.strip()
            if not text or _TRACED.match(line) or (self._prompt and text[0] == self._prompt):
                continue
            if self._printed[text]:
                # Each line of the script is printed once: a loop is printed before it runs.
                self._printed[text] -= 1
                continue
            found.append(index)
        return tuple(found)
