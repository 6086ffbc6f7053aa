"""Runs the cases below ``cases/`` on the subject of this session."""

import pytest

from conformance import cases
from conformance.place import Place
from subject import chosen

CASES = cases.load()


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.suits(chosen())], ids=lambda case: case.name
)
def test_case(case: cases.Case, place: Place) -> None:
    cases.perform(case, place, chosen())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_has_a_description_and_no_unknown_keys(case: cases.Case) -> None:
    assert case.content["what"].endswith(".")
    assert cases.unknown_keys(case) == set()
