"""Conditions: the result of each operator, the order of evaluation, and the explanations."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe import limits
from awstoe.errors import ActionError, HostError
from awstoe.expressions.conditions import (
    LOGICAL,
    OPERATORS,
    SPELLINGS,
    Comparison,
    Condition,
    Evaluation,
    Logical,
    compare_numbers,
    depth,
    evaluate,
    number,
    texts,
)

HASH_OPERATORS = ("MD5Equals", "SHA1Equals", "SHA256Equals", "SHA512Equals")
HASHES = {"md5": "d4", "sha1": "da", "sha256": "e3", "sha512": "cf"}


class Machine:
    """A machine with one file, one folder and one program."""

    def __init__(self) -> None:
        self.queried: list[str] = []

    def file_exists(self, path: str) -> bool:
        self.queried.append(path)
        return path == "/file"

    def folder_exists(self, path: str) -> bool:
        self.queried.append(path)
        return path == "/folder"

    def file_hash(self, path: str, algorithm: str) -> str | None:
        self.queried.append(path)
        return HASHES[algorithm] if path == "/file" else None

    def binary_exists(self, name: str) -> bool:
        self.queried.append(name)
        return name == "bash"

    def bounded_search(self, expression: str, flags: int, text: str, seconds: float) -> bool:
        assert seconds == limits.PATTERN_SECONDS
        if text == "slow":
            raise TimeoutError
        return re.search(expression, text, flags) is not None


def same(text: str) -> str:
    return text


def verdict(
    condition: Condition,
    machine: Machine | None = None,
    resolve: Callable[[str], str] = same,
) -> Evaluation:
    return evaluate(condition, resolve, machine or Machine())


def compared(operator: str, operand: str, companion: str | None = None) -> Evaluation:
    return verdict(Comparison(operator, operand, companion))


TABLE = [
    # operator, operand, companion, truth
    ("stringIsEmpty", "", None, True),
    ("stringIsEmpty", " ", None, False),
    ("stringIsWhitespace", " ", None, True),
    ("stringIsWhitespace", " \t\r\n\u00a0\u2003", None, True),
    ("stringIsWhitespace", "", None, False),
    ("stringIsWhitespace", " a ", None, False),
    ("stringIsWhitespace", "\x1c", None, False),
    ("stringEquals", "a", "a", True),
    ("stringEquals", "a", "A", False),
    ("stringEquals", "1.0", "1", False),
    ("stringEquals", "", "", True),
    ("stringLessThan", "b", "a", True),
    ("stringLessThan", "a", "b", False),
    ("stringLessThan", "A", "a", False),
    ("stringLessThan", "B", "a", True),
    ("stringLessThan", "b", "A", True),
    ("stringLessThanEquals", "a", "A", True),
    ("stringLessThanEquals", "a", "b", False),
    ("stringGreaterThan", "a", "B", True),
    ("stringGreaterThan", "a", "A", False),
    ("stringGreaterThan", "9", "10", False),
    ("stringGreaterThanEquals", "STRASSE", "straße", True),
    ("stringGreaterThanEquals", "b", "a", False),
    ("patternMatches", "^[a-z]+$", "ThisIsValue", False),
    ("patternMatches", "(?i)^[a-z]+$", "ThisIsValue", True),
    ("patternMatches", "is", "ThisIsValue", True),
    ("patternMatches", "^a$", "a\n", False),
    ("numberEquals", "1", "1.0", True),
    ("numberEquals", "0.1", "0.10000000000000000001", False),
    ("numberEquals", "1e3", "1000", True),
    ("numberEquals", "2.5e-1", "0.25", True),
    ("numberEquals", "-0", "+0.0", True),
    ("numberEquals", "abc", "abc", False),
    ("numberEquals", "", "", False),
    ("numberEquals", " 1", "1", False),
    ("numberEquals", "1.", "1", False),
    ("numberEquals", ".5", "0.5", False),
    ("numberEquals", "0x10", "16", False),
    ("numberEquals", "1_000", "1000", False),
    ("numberEquals", "\u0661", "1", False),
    ("numberLessThan", "2", "1", True),
    ("numberLessThan", "10", "9", True),
    ("numberLessThan", "1", "2", False),
    ("numberLessThan", "1", "nan", False),
    ("numberLessThan", "1e999999999999", "1", True),
    ("numberLessThan", "-1", "-1.5", True),
    ("numberLessThanEquals", "1.90", "1.9", True),
    ("numberLessThanEquals", "x", "1", False),
    ("numberGreaterThan", "1", "2", True),
    ("numberGreaterThan", "1.9", "1.10", False),
    ("numberGreaterThan", "-2", "-1", True),
    ("numberGreaterThanEquals", "0", "-0", True),
    ("numberGreaterThanEquals", "0", "-0.001", False),
    ("binaryExists", "bash", None, True),
    ("binaryExists", "nope", None, False),
    ("fileExists", "/file", None, True),
    ("fileExists", "/folder", None, False),
    ("folderExists", "/folder", None, True),
    ("folderExists", "/file", None, False),
    ("fileMD5Equals", "d4", "/file", True),
    ("fileMD5Equals", "D4", "/file", True),
    ("fileMD5Equals", "d5", "/file", False),
    ("fileMD5Equals", "d4", "/gone", False),
    ("fileSHA1Equals", "da", "/file", True),
    ("fileSHA256Equals", "E3", "/file", True),
    ("fileSHA512Equals", "cf", "/file", True),
    ("fileSHA512Equals", "e3", "/file", False),
]


@pytest.mark.parametrize(("operator", "operand", "companion", "truth"), TABLE)
def test_comparisons_have_the_expected_results(
    operator: str,
    operand: str,
    companion: str | None,
    truth: bool,  # noqa: FBT001 - data
) -> None:
    evaluation = compared(operator, operand, companion)

    assert evaluation.value is truth
    assert evaluation.explanation.startswith(f"{operator}: ")


def test_every_operator_is_in_the_table() -> None:
    assert {row[0] for row in TABLE} == set(OPERATORS)
    assert set(SPELLINGS.values()) <= set(OPERATORS)
    assert not set(SPELLINGS) & set(OPERATORS)
    assert not set(LOGICAL) & set(OPERATORS)


@pytest.mark.parametrize(("operator", "_operand", "companion", "_truth"), TABLE)
def test_operators_have_the_expected_companions(
    operator: str,
    _operand: str,
    companion: str | None,
    _truth: bool,  # noqa: FBT001 - data
) -> None:
    assert (OPERATORS[operator].companion is None) is (companion is None)
    assert (OPERATORS[operator].companion == "path") is operator.endswith(HASH_OPERATORS)


@pytest.mark.parametrize(
    ("comparison", "explanation"),
    [
        (("stringEquals", "b", "a"), "stringEquals: 'a' is not equal to 'b'"),
        (("stringEquals", "a", "a"), "stringEquals: 'a' is equal to 'a'"),
        (("stringLessThan", "a", "b"), "stringLessThan: 'b' is not less than 'a'"),
        (("stringIsEmpty", "a", None), "stringIsEmpty: 'a' is not empty"),
        (("numberGreaterThan", "3", "2"), "numberGreaterThan: '2' is not greater than '3'"),
        (("numberEquals", "3", "three"), "numberEquals: 'three' is not a number"),
        (("numberEquals", "", "3"), "numberEquals: '' is not a number"),
        (("patternMatches", "^b", "a"), "patternMatches: 'a' does not match the pattern '^b'"),
        (("fileExists", "/gone", None), "fileExists: '/gone' is not a file"),
        (
            ("fileMD5Equals", "d5", "/file"),
            "fileMD5Equals: the md5 hash of '/file' is 'd4', not 'd5'",
        ),
        (("fileMD5Equals", "d5", "/gone"), "fileMD5Equals: there is no file '/gone'"),
    ],
)
def test_explanations_name_the_values(
    comparison: tuple[str, str, str | None], explanation: str
) -> None:
    assert compared(*comparison).explanation == explanation


def test_long_values_are_truncated_in_explanations() -> None:
    explanation = compared("stringEquals", "x" * 100_000, "y\n").explanation

    assert len(explanation) < 400
    assert "(100000 characters)" in explanation
    assert "\n" not in explanation


def test_secrets_can_be_hidden_in_explanations() -> None:
    condition = Comparison("stringEquals", "open", "secret'\n")

    evaluation = evaluate(
        condition, same, Machine(), shown=lambda text: text.replace("secret'\n", "***")
    )

    assert evaluation.explanation == "stringEquals: *** is not equal to open"


class LockedMachine(Machine):
    """A machine that answers no question about files."""

    def file_exists(self, path: str) -> bool:
        raise ActionError(f"permission denied ({len(path)})", hint="run awstoe as root")


@pytest.mark.parametrize("negated", [False, True])
def test_what_the_machine_cannot_answer_is_an_error_without_secrets(*, negated: bool) -> None:
    condition: Condition = Comparison("fileExists", "/secret", None)
    if negated:
        condition = Logical("not", (condition,))

    with pytest.raises(ActionError) as caught:
        evaluate(condition, same, LockedMachine(), shown=lambda _: "'***'")

    assert caught.value.message == "fileExists: '***' cannot be checked: permission denied (7)"
    assert caught.value.hint == "run awstoe as root"


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", "x" * 2000])
def test_an_invalid_pattern_fails_the_step(pattern: str) -> None:
    with pytest.raises(ActionError, match="patternMatches: invalid pattern") as caught:
        compared("patternMatches", pattern, "text")

    assert "RE2" in (caught.value.hint or "")


def test_a_pattern_that_runs_too_long_fails_the_step() -> None:
    with pytest.raises(ActionError, match=r"\(a\+\)\+b.* ran for more than 5 seconds"):
        compared("patternMatches", "(a+)+b", "slow")


YES = Comparison("stringEquals", "a", "a")
NO = Comparison("stringEquals", "a", "b")


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        (Logical("and", (YES, YES)), True),
        (Logical("and", (YES, NO)), False),
        (Logical("or", (NO, NO)), False),
        (Logical("or", (NO, YES)), True),
        (Logical("not", (YES,)), False),
        (Logical("not", (NO,)), True),
        (Logical("and", (YES, Logical("or", (NO, Logical("not", (NO,)))))), True),
        (Logical("not", (Comparison("numberEquals", "1", "x"),)), True),
    ],
)
def test_logical_operators_combine(condition: Condition, truth: bool) -> None:  # noqa: FBT001 - data
    assert verdict(condition).value is truth


@pytest.mark.parametrize(
    ("operator", "paths", "queried"),
    [
        ("and", ["/file", "/gone", "/other"], ["/file", "/gone"]),
        ("or", ["/gone", "/file", "/other"], ["/gone", "/file"]),
    ],
)
def test_evaluation_stops_at_the_deciding_condition(
    operator: str, paths: list[str], queried: list[str]
) -> None:
    machine = Machine()
    conditions = tuple(Comparison("fileExists", path, None) for path in paths)

    evaluation = verdict(Logical(operator, conditions), machine)

    assert machine.queried == queried
    assert repr(queried[-1]) in evaluation.explanation


def test_references_after_the_deciding_condition_are_not_resolved() -> None:
    def resolve(text: str) -> str:
        if text == "{{ env:UNSET }}":
            raise HostError("unset")
        return text

    unset = Comparison("stringIsEmpty", "{{ env:UNSET }}", None)

    assert verdict(Logical("or", (YES, unset)), resolve=resolve).value
    with pytest.raises(HostError):
        verdict(Logical("and", (YES, unset)), resolve=resolve)


def test_operand_and_companion_are_resolved() -> None:
    condition = Comparison("stringEquals", "{{ one }}", "{{ two }}")

    assert verdict(condition, resolve=lambda text: {"{{ one }}": "x"}.get(text, "x")).value


def test_conditions_that_decide_together_are_all_explained() -> None:
    explanation = verdict(Logical("or", (NO, Comparison("fileExists", "/x", None)))).explanation

    assert explanation == "stringEquals: 'b' is not equal to 'a'; fileExists: '/x' is not a file"


def test_many_conditions_that_decide_together_are_counted() -> None:
    assert verdict(Logical("and", (YES,) * 1000)).explanation.endswith("; and 997 more")


def test_texts_of_a_condition_are_in_document_order() -> None:
    condition = Logical(
        "and",
        (
            Comparison("stringEquals", "1", "2"),
            Logical("not", (Comparison("fileExists", "3", None),)),
            Comparison("stringEquals", "4", ""),
        ),
    )

    assert list(texts(condition)) == ["1", "2", "3", "4", ""]


def test_depth_counts_logical_operators() -> None:
    assert depth(YES) == 0
    assert depth(Logical("not", (YES,))) == 1
    assert depth(Logical("and", (YES, Logical("or", (Logical("not", (NO,)), YES))))) == 3


DECIMALS = st.one_of(
    st.from_regex(r"[-+]?([0-9]{1,12}[.])?[0-9]{1,12}", fullmatch=True),
    st.from_regex(r"[-+]?[0-9]{1,8}([.][0-9]{0,6})?[eE][-+]?[0-9]{1,3}", fullmatch=True),
).filter(str.isascii)


@given(DECIMALS, DECIMALS)
def test_numbers_compare_like_exact_decimals(one: str, other: str) -> None:
    first, second = number(one), number(other)
    assert first is not None
    assert second is not None

    order = compare_numbers(first, second)

    left, right = Decimal(one), Decimal(other)
    assert (order < 0, order == 0, order > 0) == (left < right, left == right, left > right)
    assert (compare_numbers(second, first) > 0) is (order < 0)


@given(st.sampled_from(["string", "number"]), st.text() | DECIMALS, st.text() | DECIMALS)
def test_comparison_operators_are_consistent(kind: str, one: str, other: str) -> None:
    less = compared(f"{kind}LessThan", other, one).value
    less_equal = compared(f"{kind}LessThanEquals", other, one).value
    greater = compared(f"{kind}GreaterThan", other, one).value
    greater_equal = compared(f"{kind}GreaterThanEquals", other, one).value

    assert less is compared(f"{kind}GreaterThan", one, other).value
    assert less_equal is compared(f"{kind}GreaterThanEquals", one, other).value
    assert not (less and greater)
    if kind == "string" or (number(one) and number(other)):
        assert less_equal is not greater
        assert greater_equal is not less
    else:
        assert not any((less, less_equal, greater, greater_equal))


@given(st.text())
def test_text_equals_itself(text: str) -> None:
    assert compared("stringEquals", text, text).value
    assert compared("stringLessThanEquals", text, text).value
    assert not compared("stringLessThan", text, text).value
