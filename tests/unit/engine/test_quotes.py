"""What a failure quotes of a program's output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe import limits
from awstoe.engine.quotes import quotes

PAGES = "".join(f"  --option{n}  description\n" for n in range(100)).encode()


def test_the_tails_are_the_last_lines() -> None:
    output = "".join(f"line {n}\n" for n in range(1, 101)).encode()
    found = quotes([output], [b"why\n\n"], exit_code=3)
    assert found.stdout_tail.splitlines() == [f"line {n}" for n in range(81, 101)]
    assert (found.stderr_tail, found.stdout_first, found.cause) == ("why", False, "why")


def test_a_cause_far_before_the_end_comes_with_the_lines_after_it() -> None:
    found = quotes([b"tool: error: no such option\n" + PAGES], [], exit_code=2)
    tail = found.stdout_tail.splitlines()
    assert tail[:2] == ["tool: error: no such option", "  --option0  description"]
    assert (tail.count("[...]"), tail[-1]) == (1, "  --option99  description")
    assert len(tail) <= limits.QUOTED_LINES
    assert (found.stdout_first, found.cause) == (True, "tool: error: no such option")


def test_a_cause_in_the_dropped_middle_leaves_the_ends() -> None:
    found = quotes([b"first\n", b"last\n"], [], exit_code=1)
    assert found.stdout_tail == "first\n[...]\nlast"


def test_a_program_that_was_ended_from_outside_has_no_cause() -> None:
    found = quotes([], [b"error: trying again\nwaiting\n"])
    assert (found.cause, found.stderr_tail) == ("", "error: trying again\nwaiting")


@pytest.mark.parametrize("position", [0, 300, 5_000, 99_900])
def test_an_error_in_a_long_line_is_what_is_quoted_of_it(position: int) -> None:
    text = "x" * position + " error: the schema has no color " + "x" * (100_000 - position)
    found = quotes([], [text.encode()], exit_code=1)
    assert "error: the schema has no color" in found.cause
    assert len(found.cause) < 2 * limits.QUOTED_LINE_CHARACTERS
    assert "error: the schema has no color" in found.stderr_tail


def test_everything_is_kept_within_its_limits() -> None:
    flood = b"error: " + "\u00fc".encode() * 300 + b"\n"
    found = quotes([flood * 1000], [flood * 1000], exit_code=1)
    for tail in (found.stdout_tail, found.stderr_tail):
        assert len(tail.encode()) <= limits.QUOTED_BYTES
        assert tail.count("\n") < limits.QUOTED_LINES


@pytest.mark.parametrize(
    "character",
    [
        *("x", " ", "\n", "\r", "\b", "\x1b]", "1 ", "a.b:", "error ", "got expected ", "x\n"),
        *(f"error: {'!' * 380}~\n", f"error: {'a!' * 190}~\n", f"failed {'- ' * 190}~\n"),
    ],
)
def test_monotonous_output_is_examined_in_bounded_work(character: str) -> None:
    # Patterns that backtrack would take minutes, and end in the time limit of the tests.
    data = (character * limits.EXAMINED_HEAD_BYTES)[: limits.EXAMINED_HEAD_BYTES].encode()
    quotes([data, data], [data, data], exit_code=1, script="set -xv")


LINES = st.sampled_from(
    [
        "error: x",
        "Traceback (most recent call last):",
        "  at y",
        "usage: z",
        "+ a",
        "",
        "\u0130 no:",
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=30))), st.lists(LINES), st.integers(0, 255))
def test_any_output_can_be_examined(out: list[str], err: list[str], exit_code: int) -> None:
    stdout = "\n".join(out).encode(errors="replace")
    found = quotes([stdout], ["\n".join(err).encode()], exit_code=exit_code, script="set -v\n+ a")
    assert "\n" not in found.cause
