"""What lines of output look like: patterns for ``engine.cause``, in its words. Pure.

``STRONG``, ``WEAK``, ``HARMLESS`` and ``RESULT`` are for text in lower case: to ignore case is five
times slower.

Each pattern is a kind of line, in the words of many programs. A line that is judged wrongly means
that a kind is missing or too wide; no pattern is for one program alone, unless programs of its kind
have no word in common.
"""

import re
import string
from typing import Final

from awstoe.late_patterns import pattern

_PROBLEM: Final = (
    r"fatal|panic|error|err|exception|failure|critical|crit|alert|emerg|severe"
    # "Error" as translated programs say it
    r"|fehler|erreur|errore|erro|fout|fel|błąd|chyba|hata|ошибка|エラー|错误|錯誤|오류"
)
LABEL: Final = pattern(
    rf"""
      (?:^|(?<=[\s\[(<|:"*>;]))(?i:internal\ |fatal\ |{_PROBLEM})*(?i:{_PROBLEM})
          (?:\[[\w-]+\])? \s* (?: :(?!:) | \uff1a | !(?!=) | \] | >(?=\s)
            | \ [A-Z]{{1,6}}\d+\b | \ -\ )
    | (?<![\w./=-]) (?:ERROR|FATAL|CRITICAL|SEVERE|EMERG) (?![\w/=-]|\.\w)
    | ^(?:E|F|ERR|Err): (?=\s|\d)  | ^E\s{{2,}}(?=\S) | ^\[E\] | ^E\d{{4}}\b
    | ^[\w./+-]+:\ (?:fatal\ |internal\ )?error\b | ^[a-z][\w-]*\ (?:error|ERR!)\s+(?=\S)
    | ^\s*\d+:\d+\s+error\b | ^\W*(?:FAIL|FAILED|FAILURE|not\ ok)\b
    | ^\s*[✗✘\u00d7✖❌\u2a2f]\s{{0,3}}(?=\S) | (?:^|\s)\*\*\*\s(?=\S)
    | ^Caused\ by: | ^Exception\ in\ thread | ^\s*thread\ '.*'.*\ panicked
    """,
    re.VERBOSE,
)
"""A word that announces an error, where a label is expected."""
EXCEPTION: Final = pattern(
    r"""(?:^|[\s"'(])(?:[\w$]+[.:\\]+)*[A-Z]\w*(?:Error|Exception|Failure|Fault)\b"""
    r"""(?: \[\w+\])?(?:(:\s*\S)|$)""",
)
"""The name of an exception; group 1 if a message follows."""
STRONG: Final = pattern(
    r"""(?x)
      \b(?:cannot|can't|can\ not|could(?:\ not|n't)|unable\ to|fail(?:ed|s|ure)?\ (?:to|with)
    | (?:was|were|is|are|do(?:es)?|did|has|have|had)(?:\ not|n't)\b(?!\ (?:required|needed|set\ up))
    | not\ (?:found|permitted|allowed|supported|valid|installed|recognized|available|exist|running
        |be|a|in|enough|defined|declared|implemented|registered|writable|readable|executable
        |reachable|resolved|authorized|match)
    | no\ (?:such|space|match|matching|rule|route|module|public\ key|provider|package|candidate)
    | (?:has|have|had|contains?|with|there\ (?:is|are|was|were))\ no
    | nothing\ provides | permission\ denied | (?:access|authorization)\ (?:is\ |was\ )?denied
    | denied | refused | forbidden | unauthorized | unsupported | unrecognized | unresolved
    | undefined | undeclared | unbound | unreachable | unhandled | uncaught | unavailable
    | out\ of\ (?:memory|range|space|bounds|disk) | timed\ out | time-?out\ (?:was|after|waiting)
    | reset\ by\ peer | (?:syntax|parse|type|value|key|name|import|linker)\ error
    | segmentation\ fault | core\ dumped | bus\ error | killed | aborted | illegal\ instruction
    | stack\ overflow | mismatch(?:ed)? | corrupt(?:ed)? | incompatible | unsatisfied
    | violat(?:ed|ion) | temporary\ failure | deadlock | \w+\ already\ exists
    | (?:got|actual|found|received|but\ was)\b.*\b(?:want(?:ed)?|expected)
    | (?:want(?:ed)?|expected)\b.*\b(?:got|actual|found|received|but\ was) | [=,]\ want
    )(?![\w-])
    | (?:^|\s)(?:4\d\d|5\d\d)\ (?:not\ found|forbidden|unauthorized|internal|bad|service)
    """
)
"""What the system and programs say when something is not possible."""
WEAK: Final = pattern(
    r"""(?x)
      (?<![\w./=-])(?:errors? | failed | failures? | fails | failing | fatal | invalid | illegal
    | unknown | unexpected | missing | broken | bad | wrong | exceed(?:s|ed) | expired
    | conflict(?:s|ing)? | crash(?:ed)? | rejected | required | requires | must | refus(?:es|ing)
    | too\ (?:many|few|large|long|short|old|small|new|big|wide) | in\ use | incorrect
    | assert(?:ion)? | panic(?:ked)? | stopp(?:ed|ing) | terminated | broken\ pipe
    | attempt(?:ed)?\ to
    | e(?:noent|acces|perm|exist|nospc|conn\w+|timedout|notfound|ai_again|nomem)
    | unsigned | vulnerab\w+ | exception | problems? | lacks? | unterminated | unclosed | truncated)
    (?![\w=-]|/|\.\w)
    """
)
"""Words that are usual in error messages, and possible elsewhere."""
POSITION: Final = pattern(
    r"""(?x)
      ^\s*\d+:\d+\s | ^\s*(?:\[\w+\]\s+)?["']?(?:[A-Z]:)?[\w./\\+@~-]+["']?
        (?: :\d+(?::\d+)?: | \(\d+(?:,\d+)*\)\s?: | :\[\d+,\d+\] )
    | \bline\ \d+: | \bat\ \S+(?::\d+\b|\ line\ \d+[.,])
    """
)
"""A line of a source file or of a script."""
HARMLESS: Final = pattern(
    r"""(?x)
      \b(?:no|0|zero|without(?:\ any)?)\ (?:\w+\ )?
        (?:errors?|failures?|failed|warnings?|problems?)\b
    | \b(?:errors?|failed|failures?|fatal|missing|broken|skipped)\s*[:=]\s*0\b
    | \b(?:not\ (?:required|needed|necessary|changed))\b
    | \bignor(?:ed|ing)\s+(?:errors?|failures?)\b
    | \bon[- ](?:error|failure)\b
    """
)
"""Words that only mention errors. They are removed before a line is examined."""
OTHER_LABEL: Final = pattern(
    r"""(?x)
      ^\W{0,3}(?i:warn(?:ing)?s?|note|info|debug|notice|hint|trace|verbose|deprecat\w+|tip|ok
        |pass(?:ed)?|success|help)\b\s*(?:[:\]!)>]|\[|-\ |\d|$|\ (?=[a-z@]))
    | ^[NWI]:\s
    | (?:^|[\s\[(<|:])(?i:warning|warn|note|notice|info|debug|hint|deprecated)
        (?::|\]|\ \[|\ [A-Z]{1,4}\d+:)
    | ^(?:\S+\ ){0,3}\W?(?:INFO|DEBUG|NOTICE|TRACE|WARN|WARNING|PASSED|PASS)\b
    | \bnpm\ (?:warn|WARN|notice)\b
    """
)
"""The label of a warning, a note, or a success."""
RESULT: Final = pattern(
    r"""(?x)
      \b(?:exit(?:ed|s|ing)?|return(?:ed|s)?|ended|finished|completed?|failed|stopped)\b
        .{0,60}\b(?:(?:exit\ )?(?:code|status)|non-?zero|errorlevel)\b
    | \b(?:exit|return)\ (?:code|status|value)\b | \b(?:code|status)[:= ]*\d+\W*$
    | \*\*\*\ .*\berror\ \d+$ | \berror\ code\ \(?\d
    | \b(?:see|check|view|refer\ to|consult|look\ at|found\ in|written\ to|saved\ (?:in|to))\b
        .*\b(?:logs?|above|below|details?|information|documentation|docs?|output|report)\b
    | \bcomplete\ log\b | \bfor\ (?:more|further|full)\ (?:details|information|help|output)\b
    | \btry\ .*(?:--?help|\bman\b) | \b(?:re-?)?run\ (?:with|maven|again|the)\b | \[help\ \d\]
    | \b(?:command|script|subcommand)\ failed\W*$
    | \bsub-?process\b.{0,60}\b(?:returned|killed|exit(?:ed)?|failed)\b
    | \b(?:did|was|were)\ not\ (?:complete|finish|succeed|run|successful)\b(?:\ successfully)?
    | ^\W*(?:\w+\W+){0,3}?(?:the\ )?(?:build|compilation|command|script|task|step|job|tests?|process
        |run|configur\w+|pipeline|provision\w*|deploy\w*|setup|recipe|subcommand|check|target
        |install(?:ation)?|execution|operation|it|bash|make)\b(?:[\w '\"`./:-]{0,40}?)
        \b(?:failed|failures?|incomplete|terminated|aborted|stopped|unsuccessful)\b
        (?:\ with\ (?:an?\ )?(?:exception|error))?(?:\ (?:in|after)\ [\w.\ ]+)?\W*$
    | ^\W*(?:\w+\W+){0,2}(?:code|errno)\s+[\w-]+$ | ^fail\s+\S+\s+[\d.]+m?s$
    | \bcompilation\ (?:terminated|aborted|error|failure)
    | \berrors?\ (?:was|were)?\s*(?:occurred|encountered|found|detected)\b(?!\ \()
    | \bdue\ to\ (?:\d+\ |the\ |a\ )?(?:previous|above|preceding|(?:\w+\ )?errors?\b)
    | \bcould\ not\ compile\b | \ball\ warnings\ being\ treated | \bnot\ recoverable\b
    | (?<![\w.:/-])\d+\ (?:\w+\ )?
        (?:errors?|failures?|failed|fail|failing|warnings?|error\(s\)|problems?)\b(?!:)
    | \b(?:errors?|failures?|failed)\s*[:=]\s*(?![45]\d\d\b)\d+
    | ^\W*(?:\w+\W+)?(?:failed|fail|errors?|err|failures?|fatal|aborted|aborting|stopped)\W*$
    | \bmay\ (?:be|have\ been)\ (?:ignored|due|caused) | \bhave\ been\ ignored\b
    | \bsome\ (?:index\ files|errors|packages|tests|files|steps|checks)\b
    | \b(?:test|build)s?\ failed\.?\s+see\b
    | ^\W*(?:\w+\W+){0,3}?to\ (?:see|get|view|fix|avoid|resolve|address)\b
    | \bthis\ (?:is|was|error)\ (?:\w+\ )?(?:related|caused|probably|likely|usually|originates)
    """
)
"""A result that another line must explain."""
HELP_STARTS: Final = pattern(
    r"""(?ix)
      ^\s*(?:usage|synopsis):? (?:\s|$)
    | ^\s*(?:[\w-]+\ ){0,2}(?:options|arguments|commands|flags|examples?|subcommands|parameters)
        (?:\ [\w(]+)?:\s*$
    """
)
"""The start of a help text."""
OPTION: Final = pattern(r"^\s*(?:--?[\w?@#\[]|/\w+\s{2,})")
"""An option with its description."""
FRAME: Final = pattern(
    r"""(?x)
      ^(?:stack\s?)?(?:trace|traceback|backtrace):\s*$
    | ^\s+(?:at\s|File\ "|from\s\S+:\d|in\s`|\.\.\.\s\d+\ (?:more|common)|\#\d+\s
        |\d+:\s+(?:0x)?[\da-f]+\b)
    | ^\s*goroutine\ \d+ | ^\s*\.{3}\ \d+\ more | ^At\ .*:\d+\ char:\d+ | ^\s*\^+[~^]*$
    | ^\s*(?:throw|raise|return|assert|import|from|print|require|def|if|for)\b.*[(;:'"]
    """
)
"""A frame of a stack, or the source line of one."""
SHELL_START: Final = pattern(
    r"""(?x)
      ^\s*(?: echo|printf|export|local|readonly|declare|function|trap|exec|source|eval|set|unset
        | if\ !?\ ?(?:\[|test|command|grep|\w) | elif | then | fi | do | done | esac | else
        | case\ .*\ in | for\ \w+\ in | while\ | until\ | \w+=\S*\ ?\$?
        )(?:\s|$|;|["'(\[])
      .*
    """
)
SHELL_SIGN: Final = pattern(
    r"""\$[\w{(@?*#"']|;;|\|\||&&|>&\d|\d?>\s?/|;\s(?:then|do|exit|return|fi|done)\b|\bexit\s\d|\s\|\s\w+\s-|\\$"""
)
TRACED: Final = pattern(r"^\s*\++\s")
"""A command that ``set -x`` printed."""
TRACED_EXIT: Final = pattern(r"^\++ (?:exit|return)\b")
PROMPT: Final = pattern(r"""(?:^|[\s;])PS4=\$?(?:'([^']+)|"([^"]+)|([^\s;"']+))""")
"""The assignment of the text that ``set -x`` prints before a command, in one of three groups."""
EXPANSION: Final = pattern(r"\$\{?LINENO\}?|[$`\\]")
"""What bash replaces in that text, or the start of it."""
VERBOSE: Final = pattern(
    r"\bset\s+(?:-o\s+)?(?:-\w*v|verbose)|\b(?:ba)?sh\s+-\w*v|\bset\s+-o\s+verbose"
)
TRACEBACK: Final = pattern(r"Traceback \(most recent call last\)")
PROGRAM: Final = pattern(
    r"^\W{0,3}([\w.+-][\w./+-]*)(?:\[[\w-]+\])?(?::|!|\]|\s-\s|\ (?:error|ERR!)\s)"
)
TIME: Final = pattern(
    r"""(?x)
      ^\W?(?:\d{4}-\d\d-\d\d[T\ ])?\d\d:\d\d:\d\d(?:[.,]\d+)?
        (?:Z|\ ?[+-]\d\d:?\d\d|\ UTC)?\W{0,3}\s?
    | ^\[\s*\d+\.\d+\]\s
    | ^\#\d+\s(?:\d+\.\d+\s)?
    | ^==\d+==\s?
    | ^[A-Z][a-z]{2}\ [\d\ ]\d\ \d\d:\d\d:\d\d\ \S+\ [\w./@-]+(?:\[\d+\])?:\s
    """
)
METER: Final = pattern(r"^\s*(?:[\d.:%kKMGT-]+\s+){5,}[\d.]*[kKMGT]?(?=[A-Za-z])")
"""The progress that curl prints before its message, in the same line."""
BOX: Final = pattern(r"^[\s│║┃|╷╵>╰╭─━═*]+(?=\S)")

PLAIN: Final = (
    *("error", "fatal", "fail", "exception", "cannot", "could not", "unable", "denied", "refused"),
    *("not found", "no such", "invalid", "panic", "not ok", "killed"),
)
"""Parts of lines that most errors have, to find them in what is too long to examine."""

OF_EXIT_CODE: Final = {
    126: pattern(r"(?i)permission denied|cannot execute|is a directory|bad interpreter|format"),
    127: pattern(r"(?i)not found|no such file"),
}
OF_SIGNAL: Final = pattern(
    r"(?i)\b(?:killed|segmentation fault|aborted|terminated|bus error|illegal instruction"
    r"|floating point exception|core dumped|trace/breakpoint|hangup|alarm clock)\b"
)

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def lower(text: str) -> str:
    """Return ``text`` with its ASCII letters in lower case, so that its length stays the same."""
    return text.translate(_LOWER)


def has_plain_sign(line: str) -> bool:
    """Whether a line has a part that most errors have."""
    text = line.lower()
    return any(part in text for part in PLAIN)


def first_plain_sign(line: str) -> int:
    """Return where the first part that most errors have starts; -1 if there is none."""
    text = lower(line)
    return min((place for part in PLAIN if (place := text.find(part)) >= 0), default=-1)
