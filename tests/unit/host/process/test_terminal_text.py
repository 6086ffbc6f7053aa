"""What a person would see of a program's output on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe.host.process.terminal_text import lines


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"one\r\n\ntwo  \n", ["one", "", "two"]),
        (b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07text\n", ["red text"]),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        (b"10%\r20%\r30%\n", ["30%"]),
        (b"10%\rdone\r\n", ["done"]),
        (b"bo\x08old a\x08\x08\x08bc\x07\x00\n", ["bolbc"]),
        (b"a\xff\n", ["a\\xff"]),
        ("n\u00f6 caf\u00e9\r\nb".encode("utf-16-le"), ["n\u00f6 caf\u00e9", "b"]),
        ("caf\u00e9\nb".encode("utf-16"), ["caf\u00e9", "b"]),
        ("caf\u00e9\nb".encode("utf-16-be"), ["caf\u00e9", "b"]),
    ],
)
def test_control_characters_act_as_on_a_terminal(data: bytes, shown: list[str]) -> None:
    assert [line.text for line in lines(data) if not line.overwritten] == shown


def test_overwritten_text_is_kept_apart() -> None:
    assert [line.text for line in lines(b"error: x\r30%\n") if line.overwritten] == ["error: x"]


@given(st.binary(max_size=200))
def test_any_bytes_become_lines_without_control_characters(data: bytes) -> None:
    for line in lines(data):
        assert not set(line.text) & {chr(code) for code in (*range(9), *range(10, 32), 127)}
