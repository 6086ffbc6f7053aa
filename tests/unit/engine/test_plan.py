"""Which phases run, and where a step is found by its name."""

import pytest

from awstoe.engine.plan import planned, select
from awstoe.errors import UsageError
from fakes.executions import document

STEP = "      - {name: S, action: ExecuteBash, inputs: {commands: [x]}}\n"
ONE = document(f"  - name: build\n    steps:\n{STEP}  - name: test\n    steps:\n{STEP}")
TWO = document(f"  - name: validate\n    steps:\n{STEP}")


@pytest.mark.parametrize(
    ("phases", "selected", "unmatched"),
    [
        ((), [(True, True), (True,)], []),
        (("test",), [(False, True), (False,)], []),
        (("build", "validate"), [(True, False), (True,)], []),
        (("test", "Test", "none"), [(False, True), (False,)], ["Test", "none"]),
    ],
)
def test_phases_are_selected_by_name(
    phases: tuple[str, ...], selected: list[tuple[bool, ...]], unmatched: list[str]
) -> None:
    assert select([ONE, TWO], phases) == (selected, unmatched)


def test_phases_that_match_nothing_are_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="named a or b; they have: build, test, validate"):
        select([ONE, TWO], ["a", "b"])


def test_steps_are_found_by_the_names_of_phase_and_step() -> None:
    item = planned(ONE, {"A": "1"}, (True, False))
    assert item.places == {("build", "S"): (0, 0), ("test", "S"): (1, 0)}
    assert (item.document, item.variables, item.selected) == (ONE, {"A": "1"}, (True, False))
