"""Problems are rendered with their line, whatever characters it contains."""

import pytest

from awstoe import limits
from awstoe.document.diagnostics import Diagnostics
from awstoe.document.model import Mark
from awstoe.document.problems import Problem, Severity, document_error, render


def problem(line: int = 1, column: int = 1, message: str = "wrong", hint: str = "") -> Problem:
    return Problem("a.yml", line, column, "phases", Severity.ERROR, "code", message, hint)


def test_a_problem_is_rendered_with_its_line_a_caret_and_the_hint() -> None:
    text = render(problem(line=2, column=3, hint="do this"), ["a:", "  b"])

    assert text == "a.yml:2:3: error: wrong\n  2 |   b\n    |   ^\n  hint: do this"


def test_a_problem_without_a_position_is_one_line() -> None:
    assert render(problem(line=0, column=0), ["a:"]) == "a.yml: error: wrong"


def test_a_problem_after_the_last_line_is_rendered_without_it() -> None:
    assert render(problem(line=9), ["a:"]) == "a.yml:9:1: error: wrong"


@pytest.mark.parametrize(
    ("line", "column", "text", "caret"),
    [
        ("\ta: b", 2, "    a: b", 4),
        ("\u65e5\u672c: b", 5, "\u65e5\u672c: b", 6),
        ("e\u0301: b", 4, "e\u0301: b", 2),
        ("a\x1b[2J: b", 6, "a\\x1b[2J: b", 8),
        ("\u202ea: b", 2, "\\u202ea: b", 6),
        ("a", 2, "a", 1),
        ("x" * 300 + "!" + "y" * 300, 301, "..." + "x" * 50 + "!" + "y" * 49 + "...", 53),
        ("!" + "y" * 300, 1, "!" + "y" * 99 + "...", 0),
    ],
)
def test_the_caret_is_under_the_position(line: str, column: int, text: str, caret: int) -> None:
    _, source, below = render(problem(column=column), [line]).splitlines()

    assert source == f"  1 | {text}"
    assert below == "    | " + " " * caret + "^"


def test_messages_cannot_forge_lines_or_control_the_terminal() -> None:
    text = render(problem(message="no \x1b[31m\nb.yml:1:1: error: forged", hint="\r\u2028"), [])

    assert text.splitlines() == [
        "a.yml:1:1: error: no \\x1b[31m\\nb.yml:1:1: error: forged",
        "  hint: \\r\\u2028",
    ]


def test_the_error_of_a_document_contains_all_its_errors_and_no_warnings() -> None:
    warning = problem(message="only a warning")._replace(severity=Severity.WARNING)

    error = document_error([problem(hint="do this"), warning, problem(line=2)])

    assert error.message == "a.yml:1:1: error: wrong\na.yml:2:1: error: wrong"
    assert error.hint is None


def test_the_error_of_a_document_with_one_error_has_its_hint() -> None:
    assert document_error([problem(hint="do this")]).hint == "do this"


def test_problems_beyond_the_limit_are_counted() -> None:
    diagnostics = Diagnostics("a.yml")
    for line in range(limits.PROBLEMS_SHOWN + 7):
        diagnostics.error(Mark(line + 1, 1), "", "code", "wrong")
    diagnostics.warning(Mark(1, 2), "", "code", "odd")

    problems = diagnostics.sorted(strict=False)

    assert len(problems) == limits.PROBLEMS_SHOWN + 2
    assert problems[1].severity is Severity.WARNING
    assert problems[-1].message == "7 more errors are not shown"


def test_suggestions_stop_at_the_limit_of_candidates() -> None:
    diagnostics = Diagnostics("a.yml")
    names = [f"step-{number}" for number in range(limits.SUGGESTION_CANDIDATES // 2)]

    assert diagnostics.suggestion("setp-7", names)
    assert diagnostics.suggestion("setp-7", names) == ""
