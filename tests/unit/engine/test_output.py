import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe.engine.output import Ends, OutputCapture, Spool
from awstoe.errors import HostError
from awstoe.host.files import temporary


def captured(*pieces: bytes, limit: int = 100) -> tuple[str, bool]:
    capture = OutputCapture(limit)
    for piece in pieces:
        capture.feed(piece)
    return capture.text, capture.truncated


@pytest.mark.parametrize(
    ("pieces", "limit", "text", "truncated"),
    [
        ([], 10, "", False),
        ([b"hi\n"], 10, "hi", False),
        ([b"hi\n\n"], 10, "hi\n", False),
        ([b"hi"], 10, "hi", False),
        ([b"\n"], 10, "", False),
        ([b"a\r\n"], 10, "a\r", False),
        ([b"\xc3", b"\xa4"], 10, "ä", False),
        ([b"a\xffb\xc3"], 10, "a\\xffb\\xc3", False),
        ([b"12345"], 5, "12345", False),
        ([b"12345\n"], 5, "12345", False),
        ([b"12345", b"\n"], 5, "12345", False),
        ([b"12345\n\n"], 5, "12345", True),
        ([b"123456"], 5, "12345", True),
        ([b"1234567890" * 10], 5, "12345", True),
        ([b"1234\n56789"], 5, "1234\n", True),
        (["1234ä".encode()], 5, "1234", True),
        (["12ä4".encode() + b"56"], 5, "12ä4", True),
        ([b"12345", "😀".encode()], 7, "12345", True),
        ([b"anything"], 0, "", True),
        ([], 0, "", False),
    ],
)
def test_capture_keeps_the_beginning(
    pieces: list[bytes], limit: int, text: str, *, truncated: bool
) -> None:
    assert captured(*pieces, limit=limit) == (text, truncated)


@given(st.lists(st.binary(max_size=20)), st.integers(0, 30))
def test_capture_does_not_depend_on_the_pieces(pieces: list[bytes], limit: int) -> None:
    assert captured(*pieces, limit=limit) == captured(b"".join(pieces), limit=limit)


@given(st.text(max_size=40), st.integers(0, 60))
def test_capture_cuts_between_characters(text: str, limit: int) -> None:
    kept, truncated = captured(text.encode(), limit=limit)
    assert text.startswith(kept)
    assert len(kept.encode()) <= limit
    assert truncated is (len(text.removesuffix("\n").encode()) > limit)


@pytest.mark.parametrize(
    ("pieces", "parts"),
    [
        ([], (b"",)),
        ([b"12345"], (b"12345",)),
        ([b"1234", b"567890"], (b"1234567890",)),
        ([b"1234567890A"], (b"12345", b"7890A")),
        ([b"123", b"4567890ABCDEFGHIJ", b"K"], (b"12345", b"GHIJK")),
    ],
)
def test_the_ends_of_an_output_are_kept(pieces: list[bytes], parts: tuple[bytes, ...]) -> None:
    ends = Ends(5, 5)
    for piece in pieces:
        ends.feed(piece)
    assert ends.parts == parts


@given(st.lists(st.binary(max_size=20)), st.integers(0, 9), st.integers(1, 9))
def test_the_ends_do_not_depend_on_the_pieces(pieces: list[bytes], head: int, tail: int) -> None:
    whole, ends = Ends(head, tail), Ends(head, tail)
    whole.feed(b"".join(pieces))
    for piece in pieces:
        ends.feed(piece)
    assert ends.parts == whole.parts


@given(st.lists(st.binary(max_size=20)), st.integers(0, 60), st.integers(1, 9))
def test_spool_returns_what_it_was_fed(pieces: list[bytes], memory: int, size: int) -> None:
    with Spool(memory) as spool:
        for piece in pieces:
            spool.feed(piece)
        chunks = list(spool.chunks(size))
    assert b"".join(chunks) == b"".join(pieces)
    assert all(0 < len(chunk) <= size for chunk in chunks)


def test_spool_creates_a_file_only_for_large_outputs() -> None:
    with Spool(10, lambda: pytest.fail("made a file")) as spool:
        spool.feed(b"1234567890")
        assert spool.size == 10


def test_spool_reports_a_full_disk() -> None:
    with (
        Spool(10, lambda: open("/dev/full", "r+b", buffering=0)) as spool,
        pytest.raises(HostError, match=os.strerror(28)),
    ):
        spool.feed(b"12345678901")


def test_spool_can_be_made_with_its_defaults() -> None:
    with Spool() as spool:
        spool.feed(b"x")
        assert list(spool.chunks()) == [b"x"]
    assert temporary.parent_folder()
