"""Evaluates conditions: the ``if`` of a step and the inputs of Assert.

``OPERATORS`` is the only table of the comparison operators. The parser reads their names and
companions from it, and ``evaluate`` their checks. Each operator compares the companion's value with
the operand: ``numberLessThan: 2`` with ``value: 1`` is true.

Numbers are compared as exact decimals, never as floating point.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, TypeVar

from awstoe import limits
from awstoe.errors import ActionError, PermanentError
from awstoe.expressions.values import quoted


class Comparison(NamedTuple):
    """One comparison operator with its operand."""

    operator: str
    operand: str
    """May contain references."""
    companion: str | None
    """The ``value`` or ``path`` next to it; None for operators without a companion."""


class Logical(NamedTuple):
    """``and``, ``or`` or ``not``."""

    operator: str
    conditions: "tuple[Condition, ...]"


Condition = Comparison | Logical


class Evaluation(NamedTuple):
    """The result of a condition."""

    value: bool
    explanation: str
    """The comparison that decided the result, with resolved values, for failure messages."""


class Facts(Protocol):
    """The facts about the machine that conditions use."""

    def file_exists(self, path: str) -> bool:
        """Whether ``path`` is a file.

        Raises:
            ActionError: It cannot be found out; the message is only the reason. The same holds for
                the next three methods.
        """

    def folder_exists(self, path: str) -> bool:
        """Whether ``path`` is a folder."""

    def file_hash(self, path: str, algorithm: str) -> str | None:
        """Return the file's hash in lower-case hex, or None if there is no such file.

        ``algorithm`` is ``md5``, ``sha1``, ``sha256`` or ``sha512``.
        """

    def binary_exists(self, name: str) -> bool:
        """Whether the shell of a step would find the program ``name``."""

    def bounded_search(self, expression: str, flags: int, text: str, seconds: float) -> bool:
        """Whether Python's ``re`` finds ``expression`` in ``text``.

        Raises:
            TimeoutError: The search takes longer than ``seconds``.
        """


class Operator(NamedTuple):
    """A comparison operator."""

    companion: str | None
    """The key next to it: ``value``, ``path`` or None."""
    check: "Check"


class Operands(NamedTuple):
    """The strings of a comparison, with references replaced."""

    operand: str
    companion: str
    """Empty for operators without a companion."""
    shown: Callable[[str], str]
    """Formats a string for a message."""


Check = Callable[[Operands, Facts], Evaluation]
"""The explanation of its result does not name the operator."""

_Answer = TypeVar("_Answer", bool, "str | None")

LOGICAL: Final = ("and", "or", "not")

_EXPLAINED: Final = 3
"""Comparisons explained when several decide the result together; the others are counted."""

# Unicode's White_Space property. ``str.isspace`` also accepts the separators U+001C to U+001F.
_WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# [0-9]+ with an optional fraction. With an exponent, the other forms of YAML floats as well.
_NUMBER: Final = r"([-+]?)([0-9]+)(?:\.([0-9]+))?"
_SCIENTIFIC: Final = r"([-+]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?[eE]([-+]?[0-9]{1,18})"

_Exact = tuple[int, int, str]
"""The sign, the decimal exponent of the first digit, and the digits without outer zeros."""


def number(text: str) -> _Exact | None:
    """Return ``text`` as an exact decimal for ``compare_numbers``, or None if not a number."""
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
    """Return a negative, zero or positive number if ``one`` is less, equal or greater."""
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
    result = "is only white space" if blank else "is not one or more white space characters"
    return Evaluation(blank, f"{operands.shown(text)} {result}")


def _string(compare: Callable[[str, str], bool], relation: str, *, fold: bool) -> Check:
    """Return a check that compares the companion with the operand as strings."""

    def check(operands: Operands, _facts: Facts) -> Evaluation:
        value, operand = operands.companion, operands.operand
        true = compare(value.casefold(), operand.casefold()) if fold else compare(value, operand)
        negation = "" if true else "not "
        shown = operands.shown
        return Evaluation(true, f"{shown(value)} is {negation}{relation} {shown(operand)}")

    return check


def _numbers(accepts: Callable[[int], bool], relation: str) -> Check:
    """Return a check that compares the companion with the operand as numbers."""

    def check(operands: Operands, _facts: Facts) -> Evaluation:
        shown = operands.shown
        value, operand = number(operands.companion), number(operands.operand)
        if value is None or operand is None:
            wrong = operands.companion if value is None else operands.operand
            return Evaluation(value=False, explanation=f"{shown(wrong)} is not a number")
        true = accepts(compare_numbers(value, operand))
        negation = "" if true else "not "
        return Evaluation(
            true, f"{shown(operands.companion)} is {negation}{relation} {shown(operands.operand)}"
        )

    return check


def _pattern_matches(operands: Operands, facts: Facts) -> Evaluation:
    from awstoe.expressions.re2 import translate  # noqa: PLC0415 - costs start-up time, rarely needed

    pattern, text, shown = operands.operand, operands.companion, operands.shown
    try:
        expression, flags = translate.translate(pattern)
    except translate.PatternError as error:
        raise PermanentError(
            f"invalid pattern {shown(pattern)}: {error.message}",
            hint="use a regular expression in RE2 syntax",
        ) from None
    try:
        true = facts.bounded_search(expression, flags, text, limits.PATTERN_SECONDS)
    except TimeoutError:
        raise PermanentError(
            f"the pattern {shown(pattern)} ran for more than "
            f"{limits.PATTERN_SECONDS:g} seconds on a string of {len(text)} characters",
            hint="write the pattern without repetitions inside repetitions, as in '(a+)+': "
            "they take exponential time",
        ) from None
    verb = "matches" if true else "does not match"
    return Evaluation(true, f"{shown(text)} {verb} the pattern {shown(pattern)}")


def _answer(query: Callable[[], _Answer], path: str, shown: Callable[[str], str]) -> _Answer:
    """Return the machine's answer to a question about ``path``.

    Raises:
        ActionError: The machine cannot answer. Neither true nor false would be right then, and a
            ``not`` around it would turn a refusal into success.
    """
    try:
        return query()
    except ActionError as error:
        raise ActionError(
            f"{shown(path)} cannot be checked: {error.message}", hint=error.hint
        ) from error


def _exists(query: Callable[[Facts, str], bool], if_true: str, if_false: str) -> Check:
    """Return a check that queries the machine about the operand."""

    def check(operands: Operands, facts: Facts) -> Evaluation:
        path = operands.operand
        true = _answer(lambda: query(facts, path), path, operands.shown)
        result = if_true if true else if_false
        return Evaluation(true, f"{operands.shown(operands.operand)} {result}")

    return check


def _file_hash(algorithm: str) -> Check:
    """Return a check that compares the hash of the companion's file with the operand."""

    def check(operands: Operands, facts: Facts) -> Evaluation:
        path, expected, shown = operands.companion, operands.operand, operands.shown
        found = _answer(lambda: facts.file_hash(path, algorithm), path, shown)
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
            f"string{name}": Operator("value", _string(compare, relation, fold=True))
            for name, (compare, relation) in _ON_STRINGS.items()
        },
        "patternMatches": Operator("value", _pattern_matches),
        **{
            f"number{name}": Operator("value", _numbers(accepts, relation))
            for name, (accepts, relation) in _ON_NUMBERS.items()
        },
        "binaryExists": Operator(
            None,
            _exists(
                lambda facts, name: facts.binary_exists(name),
                "is a program that was found",
                "is not a program that was found",
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
"""Misspelled operators that are accepted with a warning."""


def texts(condition: Condition) -> Iterator[str]:
    """Yield all strings of ``condition`` that may contain references, in order."""
    if isinstance(condition, Logical):
        for inner in condition.conditions:
            yield from texts(inner)
        return
    yield condition.operand
    if condition.companion is not None:
        yield condition.companion


def depth(condition: Condition) -> int:
    """Return the nesting depth of logical operators; 0 for a comparison."""
    if isinstance(condition, Comparison):
        return 0
    return 1 + max(map(depth, condition.conditions), default=0)


def _combine(verdicts: list[Evaluation]) -> str:
    """Return the explanation of a result that all of ``verdicts`` decide together."""
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
    """Return whether ``condition`` is true, and why.

    ``and`` and ``or`` evaluate in order and stop at the condition that decides the result.
    References are replaced only when their comparison is evaluated.

    Args:
        condition: The parsed condition; every operator is in ``OPERATORS`` or ``LOGICAL``.
        resolve: Returns a string with its references replaced.
        facts: The facts about the machine.
        shown: Formats a string for a message. It must hide secrets, because ``explanation``
            contains truncated and escaped strings in which a secret can no longer be found.

    Raises:
        ActionError: A pattern is invalid or takes too long, or the machine does not let us find out
            whether a path exists.
        AwstoeError: ``resolve`` found a reference without a value.
    """
    if isinstance(condition, Comparison):
        operands = Operands(
            resolve(condition.operand),
            "" if condition.companion is None else resolve(condition.companion),
            shown,
        )
        try:
            verdict = OPERATORS[condition.operator].check(operands, facts)
        except ActionError as error:
            kind = PermanentError if error.permanent else ActionError
            raise kind(f"{condition.operator}: {error.message}", hint=error.hint) from error
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
