"""Loops: the values of the iterations."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe.errors import ActionError
from awstoe.expressions.loops import (
    DEFAULT_DELIMITER,
    DELIMITERS,
    ForEachList,
    ForEachText,
    ForLoop,
    for_problem,
    iteration_values,
    length,
)
from awstoe.expressions.values import Value


def never(text: str) -> Value:
    raise AssertionError(text)


def same(text: str) -> Value:
    return text


def resolving(**values: Value) -> Callable[[str], Value]:
    """Return a resolver with values for whole strings."""

    def resolve(text: str) -> Value:
        return values.get(text, text)

    return resolve


@pytest.mark.parametrize(
    ("numbers", "values"),
    [
        ((1, 3, 1), ["1", "2", "3"]),
        ((0, 10, 5), ["0", "5", "10"]),
        ((0, 9, 5), ["0", "5"]),
        ((3, 1, -1), ["3", "2", "1"]),
        ((3, -4, -3), ["3", "0", "-3"]),
        ((2, 2, 1), ["2"]),
        ((2, 2, -7), ["2"]),
    ],
)
def test_for_includes_both_ends(numbers: tuple[int, int, int], values: list[str]) -> None:
    assert for_problem(*numbers) is None
    iterations = iteration_values(ForLoop("loop", *numbers), never)
    assert list(iterations) == values
    assert [iterations[position] for position in range(len(iterations))] == values
    assert length(iterations) == len(values)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((1, 3, 0), "updateBy is 0"),
        ((1, 1, 0), "updateBy is 0"),
        ((1, 3, -1), "updateBy must be positive, got -1"),
        ((3, 1, 2), "updateBy must be negative, got 2"),
    ],
)
def test_a_for_that_never_ends_is_rejected(numbers: tuple[int, int, int], message: str) -> None:
    assert message in (for_problem(*numbers) or "")


def test_a_large_for_takes_no_memory() -> None:
    values = iteration_values(ForLoop("loop", 1, 10**30, 1), never)

    assert length(values) == 10**30
    assert values[0] == "1"
    assert values[10**29] == str(10**29 + 1)
    assert values[-1] == str(10**30)
    assert sys.getsizeof(values) < 200


def test_a_for_can_be_sliced() -> None:
    assert list(iteration_values(ForLoop("loop", 1, 5, 1), never)[3:]) == ["4", "5"]


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_text_is_split_at_each_delimiter(delimiter: str) -> None:
    loop = ForEachText("loop", delimiter.join(["a", "b", "c"]), delimiter)

    assert list(iteration_values(loop, same)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "delimiter", "values"),
    [
        ("", ",", []),
        ("", "\n", []),
        ("a", ",", ["a"]),
        ("a,,b", ",", ["a", "", "b"]),
        (",", ",", ["", ""]),
        ("a,", ",", ["a", ""]),
        (" a, b ", ",", [" a", " b "]),
        ("a\nb\n", "\n", ["a", "b"]),
        ("a\n\n", "\n", ["a", ""]),
        ("\n", "\n", []),
        ("a\n", ",", ["a\n"]),
    ],
)
def test_text_is_split_without_stripping(text: str, delimiter: str, values: list[str]) -> None:
    iterations = iteration_values(ForEachText("loop", text, delimiter), same)

    assert list(iterations) == values
    assert length(iterations) == len(values)


def test_text_is_resolved_once() -> None:
    resolved: list[str] = []

    def resolve(text: str) -> Value:
        resolved.append(text)
        return "x,y"

    values = iteration_values(ForEachText("loop", "{{ list }}", DEFAULT_DELIMITER), resolve)

    assert [*values, *values] == ["x", "y", "x", "y"]
    assert resolved == ["{{ list }}"]


def test_text_that_resolves_to_a_list_is_not_split() -> None:
    loop = ForEachText("loop", "names", ",")

    assert list(iteration_values(loop, resolving(names=["a,b", 7, True]))) == ["a,b", "7", "true"]


def test_list_entries_that_resolve_to_lists_are_replaced_by_their_elements() -> None:
    loop = ForEachList("loop", ("first", "names", "none", "last"))

    values = iteration_values(loop, resolving(names=["a", "b,c"], none=[], last=3))

    assert list(values) == ["first", "a", "b,c", "3"]


def test_list_without_entries_has_no_iterations() -> None:
    assert length(iteration_values(ForEachList("loop", ()), never)) == 0


def test_errors_of_the_resolver_are_raised() -> None:
    def resolve(text: str) -> Value:
        raise ActionError(text)

    with pytest.raises(ActionError):
        iteration_values(ForEachText("loop", "x", ","), resolve)


@given(
    st.integers(-1000, 1000),
    st.integers(-1000, 1000),
    st.integers(-50, 50).filter(lambda n: n != 0),
)
def test_for_counts_from_start_to_end(start: int, end: int, update_by: int) -> None:
    if for_problem(start, end, update_by) is not None:
        return
    expected, number = [], start
    while min(start, end) <= number <= max(start, end):
        expected.append(str(number))
        number += update_by

    values = iteration_values(ForLoop("loop", start, end, update_by), never)

    assert list(values) == expected
    assert length(values) == len(values) == len(expected)


@given(st.lists(st.text(), min_size=1), st.sampled_from(DELIMITERS))
def test_splitting_loses_only_a_final_line_break(entries: list[str], delimiter: str) -> None:
    text = delimiter.join(entries)

    joined = delimiter.join(iteration_values(ForEachText("loop", text, delimiter), same))

    assert text in (joined, joined + "\n")
