"""Outputs of iterations, joined and capped."""

import pytest

from awstoe.engine.events import Outputs
from awstoe.engine.loop_outputs import Collation


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        ([], []),
        ([[]], []),
        ([[{"stdout": "a"}], [{"stdout": "b"}]], [{"stdout": "a\nb"}]),
        ([[{"stdout": "a"}], [{"other": "b"}]], [{"stdout": "a", "other": "b"}]),
        ([[{"n": 1}, {"ok": True}], [{"n": 2}, {"ok": None}]], [{"n": "1\n2"}, {"ok": "true\n"}]),
        ([[{"l": ["a", {"k": 1}]}]], [{"l": '["a",{"k":1}]'}]),
    ],
)
def test_outputs_are_joined_per_operation_and_key(
    iterations: list[Outputs], expected: Outputs
) -> None:
    collation = Collation()
    for outputs in iterations:
        collation.add(outputs)
    assert collation.outputs() == expected
    assert not collation.capped


@pytest.mark.parametrize(
    ("limit", "kept", "capped"), [(6, "abc\n1", False), (5, "abc", True), (3, "", True)]
)
def test_what_exceeds_the_limit_is_dropped(limit: int, kept: str, *, capped: bool) -> None:
    collation = Collation(limit)
    collation.add([{"stdout": "abc"}])
    collation.add([{"stdout": "1"}])
    assert collation.outputs() == ([{"stdout": kept}] if kept else [{}])
    assert collation.capped is capped


def test_nothing_is_added_after_the_limit_was_reached() -> None:
    collation = Collation(5)
    for text in ("abc", "de", "f"):
        collation.add([{"stdout": text}])
    assert collation.outputs() == [{"stdout": "abc"}]
