"""Splits UTF-8 that arrives in pieces between characters."""

from typing import Final

_CONTINUATION: Final = 0x80
_CONTINUATION_MASK: Final = 0xC0
_LONGEST: Final = 4
"""Bytes of one character."""


def whole_characters(data: bytes | bytearray) -> int:
    """Return the length of ``data`` without an incomplete character at its end.

    Bytes that are not UTF-8 count as complete, as further bytes could not complete them.
    """
    for length in range(1, min(_LONGEST, len(data) + 1)):
        lead = data[-length]
        if lead & _CONTINUATION_MASK != _CONTINUATION:
            # As many leading one bits as the character has bytes; none in ASCII.
            needed = 8 - (~lead & 0xFF).bit_length()
            return len(data) - length if length < needed <= _LONGEST else len(data)
    return len(data)
