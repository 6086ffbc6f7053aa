"""Durations that users write in place of a number of seconds."""

import pytest

from awstoe.document import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1h 30 min", 5400),
        ("90s", 90),
        ("5 Minutes", 300),
        ("2d", 172800),
        ("0:10:00", 600),
        ("10:00", 600),
        ("600.0", 600),
        ("7_200", 7200),
        ("7,200", 7200),
    ],
)
def test_a_duration_is_converted_to_seconds(text: str, seconds: int) -> None:
    assert durations.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "10x", "m", "10m?", "1.5", "-5m", "10:99", "1e3"])
def test_other_text_is_not_a_duration(text: str) -> None:
    assert durations.seconds(text) is None
