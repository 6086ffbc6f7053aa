"""Conditions: the ``if`` of a step and the inputs of Assert.

``OPERATORS`` is the one table of the comparison operators: the parser takes the names and
companions from it, ``evaluate`` the meaning. In each of them the companion's value is compared
with the operand: ``numberLessThan: 2`` beside ``value: 1`` is true.

Numbers are compared as exact decimals, digit by digit, never as floating point.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from awstoe import limits
from awstoe.errors import ActionError
from awstoe.expressions.values import quoted


class Comparison(NamedTuple):
    """One comparison operator with its operand."""

    operator: str
    operand: str
    """May hold references."""
    companion: str | None
    """The ``value`` or ``path`` beside it; None for operators that have none."""


class Logical(NamedTuple):
    """``and``, ``or`` or ``not``."""

    operator: str
    conditions: "tuple[Condition, ...]"


Condition = Comparison | Logical


class Evaluation(NamedTuple):
    """What became of a condition."""

    value: bool
    explanation: str
    """The comparison that decided, with its resolved values, for failure messages."""


class Facts(Protocol):
    """What conditions can ask of the machine."""

    def file_exists(self, path: str) -> bool:
        """Whether ``path`` is a file."""

    def folder_exists(self, path: str) -> bool:
        """Whether ``path`` is a folder."""

    def file_hash(self, path: str, algorithm: str) -> str | None:
        """The hash (lower-case hex) by ``md5``, ``sha1``, ``sha256`` or ``sha512``, or None."""

    def binary_exists(self, name: str) -> bool:
        """Whether a step's shell would find ``name``."""

    def bounded_search(self, expression: str, flags: int, text: str, seconds: float) -> bool:
        """Whether Python's ``re`` finds ``expression`` in ``text``.

        Raises:
            TimeoutError: It took longer than ``seconds``.
        """


class Operator(NamedTuple):
    """What a comparison operator is."""

    companion: str | None
    """The key that stands beside it: ``value``, ``path``, or none."""
    check: "Check"


class Operands(NamedTuple):
    """A comparison's strings, references replaced, and how to show a string in a message."""

    operand: str
    companion: str
    """Empty for operators that have none."""
    shown: Callable[[str], str]


Check = Callable[[Operands, Facts], Evaluation]
"""The explanation of its verdict leaves the operator's name out."""

LOGICAL: Final = ("and", "or", "not")

_EXPLAINED: Final = 3
"""Comparisons named one by one when several decided together; the rest is counted."""

# Unicode's White_Space property; ``str.isspace`` has the separators U+001C to U+001F besides.
_WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# [0-9]+ with an optional fraction; with an exponent also the other forms YAML writes floats in.
_NUMBER: Final = r"([-+]?)([0-9]+)(?:\.([0-9]+))?"
_SCIENTIFIC: Final = r"([-+]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?[eE]([-+]?[0-9]{1,18})"

_Exact = tuple[int, int, str]
"""Sign, the decimal exponent of the first digit, and the digits without zeros at either end."""


def number(text: str) -> _Exact | None:
    """``text`` as an exact decimal for ``compare_numbers``, or None when it is no number."""
    match = re.fullmatch(_NUMBER, text) or re.fullmatch(_SCIENTIFIC, text)
    if match is None:
        return None
    sign, whole, fraction, *rest = match.groups(default="")
    exponent = int(rest[0]) if rest else 0
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return (0, 0, "")
    magnitude = exponent + len(digits) - len(fraction)
    return (-1 if sign == "-" else 1, magnitude, digits.rstrip("0"))


def compare_numbers(one: _Exact, other: _Exact) -> int:
    """Negative, 0 or positive as ``one`` is less than, equal to or greater than ``other``."""
    if one[0] != other[0]:
        return one[0] - other[0]
    if one == other:
        return 0
    return one[0] if one[1:] > other[1:] else -one[0]


def _is_empty(operands: Operands, _facts: Facts) -> Evaluation:
    empty = operands.operand == ""
    return Evaluation(
        empty, f"{operands.shown(operands.operand)} is {'' if empty else 'not '}empty"
    )


def _is_whitespace(operands: Operands, _facts: Facts) -> Evaluation:
    text = operands.operand
    blank = text != "" and not text.strip(_WHITE_SPACE)
    words = "is white space only" if blank else "is not one or more white space characters only"
    return Evaluation(blank, f"{operands.shown(text)} {words}")


def _string(holds: Callable[[str, str], bool], words: str, *, fold: bool) -> Check:
    """A comparison of the companion with the operand, as strings."""

    def check(operands: Operands, _facts: Facts) -> Evaluation:
        value, operand = operands.companion, operands.operand
        true = holds(value.casefold(), operand.casefold()) if fold else holds(value, operand)
        negation = "" if true else "not "
        shown = operands.shown
        return Evaluation(true, f"{shown(value)} is {negation}{words} {shown(operand)}")

    return check


def _numbers(holds: Callable[[int], bool], words: str) -> Check:
    """A comparison of the companion with the operand, as numbers."""

    def check(operands: Operands, _facts: Facts) -> Evaluation:
        shown = operands.shown
        value, operand = number(operands.companion), number(operands.operand)
        if value is None or operand is None:
            wrong = operands.companion if value is None else operands.operand
            return Evaluation(value=False, explanation=f"{shown(wrong)} is not a number")
        true = holds(compare_numbers(value, operand))
        negation = "" if true else "not "
        return Evaluation(
            true, f"{shown(operands.companion)} is {negation}{words} {shown(operands.operand)}"
        )

    return check


def _pattern_matches(operands: Operands, facts: Facts) -> Evaluation:
    from awstoe.expressions.re2 import translate  # noqa: PLC0415 - costs start-up time, rarely needed

    pattern, text, shown = operands.operand, operands.companion, operands.shown
    try:
        expression, flags = translate.translate(pattern)
    except translate.PatternError as error:
        raise ActionError(
            f"patternMatches: the pattern {shown(pattern)} cannot be used: {error.message}",
            hint="expected a regular expression in RE2 syntax",
        ) from None
    try:
        true = facts.bounded_search(expression, flags, text, limits.PATTERN_SECONDS)
    except TimeoutError:
        raise ActionError(
            f"patternMatches: the pattern {shown(pattern)} ran for more than "
            f"{limits.PATTERN_SECONDS:g} seconds on a text of {len(text)} characters",
            hint="repetitions inside repetitions, as in '(a+)+', take exponential time: "
            "write the pattern without them",
        ) from None
    words = "matches" if true else "does not match"
    return Evaluation(true, f"{shown(text)} {words} the pattern {shown(pattern)}")


def _exists(ask: Callable[[Facts, str], bool], true_words: str, false_words: str) -> Check:
    """A question to the machine about the operand."""

    def check(operands: Operands, facts: Facts) -> Evaluation:
        true = ask(facts, operands.operand)
        words = true_words if true else false_words
        return Evaluation(true, f"{operands.shown(operands.operand)} {words}")

    return check


def _file_hash(algorithm: str) -> Check:
    """A comparison of the hash of the file at the companion with the operand."""

    def check(operands: Operands, facts: Facts) -> Evaluation:
        path, expected, shown = operands.companion, operands.operand, operands.shown
        found = facts.file_hash(path, algorithm)
        if found is None:
            return Evaluation(value=False, explanation=f"there is no file {shown(path)}")
        true = found.lower() == expected.lower()
        negation = "" if true else f", not {shown(expected)}"
        return Evaluation(true, f"the {algorithm} hash of {shown(path)} is {found!r}{negation}")

    return check


_ON_STRINGS: Final[dict[str, tuple[Callable[[str, str], bool], str]]] = {
    "LessThan": (lambda value, operand: value < operand, "less than"),
    "LessThanEquals": (lambda value, operand: value <= operand, "less than or equal to"),
    "GreaterThan": (lambda value, operand: value > operand, "greater than"),
    "GreaterThanEquals": (lambda value, operand: value >= operand, "greater than or equal to"),
}
_ON_NUMBERS: Final[dict[str, tuple[Callable[[int], bool], str]]] = {
    "Equals": (lambda order: order == 0, "equal to"),
    "LessThan": (lambda order: order < 0, "less than"),
    "LessThanEquals": (lambda order: order <= 0, "less than or equal to"),
    "GreaterThan": (lambda order: order > 0, "greater than"),
    "GreaterThanEquals": (lambda order: order >= 0, "greater than or equal to"),
}

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "stringIsEmpty": Operator(None, _is_empty),
        "stringIsWhitespace": Operator(None, _is_whitespace),
        "stringEquals": Operator(
            "value", _string(lambda value, operand: value == operand, "equal to", fold=False)
        ),
        **{
            f"string{name}": Operator("value", _string(holds, words, fold=True))
            for name, (holds, words) in _ON_STRINGS.items()
        },
        "patternMatches": Operator("value", _pattern_matches),
        **{
            f"number{name}": Operator("value", _numbers(holds, words))
            for name, (holds, words) in _ON_NUMBERS.items()
        },
        "binaryExists": Operator(
            None,
            _exists(
                lambda facts, name: facts.binary_exists(name),
                "is a program that is there",
                "is no program that can be found",
            ),
        ),
        "fileExists": Operator(
            None,
            _exists(lambda facts, path: facts.file_exists(path), "is a file", "is not a file"),
        ),
        "folderExists": Operator(
            None,
            _exists(
                lambda facts, path: facts.folder_exists(path), "is a folder", "is not a folder"
            ),
        ),
        **{
            f"file{algorithm}Equals": Operator("path", _file_hash(algorithm.lower()))
            for algorithm in ("MD5", "SHA1", "SHA256", "SHA512")
        },
    }
)
"""The comparison operators by name."""

SPELLINGS: Final[Mapping[str, str]] = MappingProxyType({"stringlessThan": "stringLessThan"})
"""Other spellings that documents have, accepted with a warning."""


def texts(condition: Condition) -> Iterator[str]:
    """All strings of ``condition`` that may hold references, in order."""
    if isinstance(condition, Logical):
        for inner in condition.conditions:
            yield from texts(inner)
        return
    yield condition.operand
    if condition.companion is not None:
        yield condition.companion


def depth(condition: Condition) -> int:
    """How deep logical operators are nested: 0 for a comparison, 1 for ``not`` around one."""
    if isinstance(condition, Comparison):
        return 0
    return 1 + max(map(depth, condition.conditions), default=0)


def _combine(verdicts: list[Evaluation]) -> str:
    """The explanation of a verdict that all of ``verdicts`` decided together."""
    more = len(verdicts) - _EXPLAINED
    shown = "; ".join(verdict.explanation for verdict in verdicts[:_EXPLAINED])
    return f"{shown}; and {more} more" if more > 0 else shown


def evaluate(
    condition: Condition,
    resolve: Callable[[str], str],
    facts: Facts,
    *,
    shown: Callable[[str], str] = quoted,
) -> Evaluation:
    """Whether ``condition`` is true, and why.

    ``and`` and ``or`` go in order and stop at the condition that decides. References are replaced
    when their comparison's turn has come, not before.

    Args:
        condition: What the parser made, so every operator is one of ``OPERATORS`` or ``LOGICAL``.
        resolve: Gives a string with its references replaced.
        facts: What the machine says.
        shown: Puts a string into a message; it must hide secrets, since ``explanation`` holds cut
            and escaped strings in which a secret can no longer be found.

    Raises:
        ActionError: A pattern cannot be used, or takes too long.
        AwstoeError: ``resolve`` found a reference without a value.
    """
    if isinstance(condition, Comparison):
        operands = Operands(
            resolve(condition.operand),
            "" if condition.companion is None else resolve(condition.companion),
            shown,
        )
        verdict = OPERATORS[condition.operator].check(operands, facts)
        return Evaluation(verdict.value, f"{condition.operator}: {verdict.explanation}")
    verdicts = []
    deciding = condition.operator == "or"
    for inner in condition.conditions:
        verdict = evaluate(inner, resolve, facts, shown=shown)
        if condition.operator == "not":
            return Evaluation(not verdict.value, verdict.explanation)
        if verdict.value is deciding:
            return verdict
        verdicts.append(verdict)
    return Evaluation(not deciding, _combine(verdicts))
