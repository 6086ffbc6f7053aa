"""Output in a code page is converted to UTF-8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe.host.process.transcoding import LONGEST_HELD, Transcoder


def transcoded(*pieces: bytes) -> bytes:
    transcoder = Transcoder(lambda line: line.decode("cp850"))
    return b"".join(map(transcoder.feed, pieces)) + transcoder.end()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"plain\r\n", "plain\r\n"),
        ("grün\n".encode(), "grün\n"),
        (b"gr\x81n\r\n", "grün\r\n"),
        (b"gr\x81n", "grün"),
        ("grün\n".encode() + b"gr\x81n\n" + "größer".encode(), "grün\ngrün\ngrößer"),
        (b"\xc3", "├"),
        (b"", ""),
    ],
)
def test_each_line_is_utf8_or_in_the_code_page(data: bytes, expected: str) -> None:
    assert transcoded(data).decode() == expected


@pytest.mark.slow
@given(st.lists(st.text() | st.sampled_from(["ü\n", "\r\n", "a"])), st.data())
def test_utf8_is_unchanged_wherever_it_is_split(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert transcoded(*pieces) == whole


@given(st.binary())
def test_output_is_always_utf8(data: bytes) -> None:
    assert transcoded(data, data).decode() is not None


def test_ascii_is_not_held_back() -> None:
    transcoder = Transcoder(lambda line: line.decode("cp850"))
    assert transcoder.feed(b"Password: ") == b"Password: "
    assert transcoder.feed(b"gr\x81") == b"gr"
    assert transcoder.feed(b"n\nx") == "ün\nx".encode()
    assert transcoder.end() == b""


def test_endless_line_is_not_held_back_forever() -> None:
    transcoder = Transcoder(lambda line: line.decode("cp850"))
    given_back = sum(len(transcoder.feed(b"\x81" * 1000)) for _ in range(1000))
    assert given_back > 1_000_000
    assert len(transcoder.end()) <= 2 * (LONGEST_HELD + 1000)


def test_long_line_of_utf8_is_not_split_within_a_character() -> None:
    line = ("x" + "é€😀" * LONGEST_HELD).encode()
    pieces = [line[at : at + 65_536] for at in range(0, len(line), 65_536)]
    assert transcoded(*pieces) == line
