"""Turns the bytes that a program wrote into the lines that a person would see on a terminal. Pure.

Escape sequences and other control characters are removed, as are the zero bytes of UTF-16. A
carriage return moves to the start of the line, so what is before it was overwritten.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from awstoe.late_patterns import pattern

_ESCAPES: Final = pattern(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # control sequences: colors, cursor movements
    "|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?"  # texts for the terminal: its title, links
    "|\x1b[ -/]*[0-~]"
    "|\x9b[0-?]*[ -/]*[@-~]"
)
_STRUCK_OUT: Final = pattern("[^\x08\n]\x08")
_CONTROLS: Final = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LONGEST_STRUCK_OUT: Final = 16  # backspaces in a row
_SAMPLE_BYTES: Final = 4096
_ZEROS_IN_UTF_16: Final = 0.4  # of all bytes: Western text has 0.5


class Line(NamedTuple):
    """One line of output."""

    text: str
    overwritten: bool = False
    """Whether a later text replaced it on the terminal, as in a progress bar."""


def lines(data: bytes) -> list[Line]:
    """Return the lines of ``data``, without blanks at their ends and without an empty last one."""
    text = _decode_any(data)
    if not text.isprintable():
        text = _ESCAPES.sub("", text)
        for _ in range(_LONGEST_STRUCK_OUT):
            if "\x08" not in text:
                break
            text = _STRUCK_OUT.sub("", text)
        text = _CONTROLS.sub("", text)
    found = [line for each in text.rstrip().split("\n") for line in _line(each)]
    return found if found != [Line("")] else []


def _line(text: str) -> Iterator[Line]:
    text = text.rstrip()
    if "\r" not in text:
        yield Line(text)
        return
    *before, last = [part.rstrip() for part in text.split("\r")]
    for part in before:
        if part:
            yield Line(part, overwritten=True)
    yield Line(last)


def _decode_any(data: bytes) -> str:
    sample = data[:_SAMPLE_BYTES]
    zeros = sample.count(0)
    if zeros and zeros >= _ZEROS_IN_UTF_16 * len(sample):
        # A part of a text may start within a character, where the low and the high byte have
        # changed places: which half is zero decides, not the byte order mark.
        encoding = "utf-16-be" if sample[::2].count(0) > sample[1::2].count(0) else "utf-16-le"
        return data.decode(encoding, "backslashreplace").replace("\ufeff", "")
    return data.decode("utf-8", "backslashreplace")
