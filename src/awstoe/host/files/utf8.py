"""UTF-8 that arrives in pieces: where a piece cuts through a character."""

from typing import Final

_CONTINUATION: Final = 0x80
_CONTINUATION_MASK: Final = 0xC0
_LONGEST: Final = 4
"""Bytes of one character."""


def whole_characters(data: bytes | bytearray) -> int:
    """How many bytes of ``data`` are left when a character cut off at its end is taken away.

    Bytes that are no UTF-8 count as whole: only what further bytes could complete is taken away.
    """
    for length in range(1, min(_LONGEST, len(data) + 1)):
        lead = data[-length]
        if lead & _CONTINUATION_MASK != _CONTINUATION:
            # As many leading one bits as the character has bytes; none in ASCII.
            needed = 8 - (~lead & 0xFF).bit_length()
            return len(data) - length if length < needed <= _LONGEST else len(data)
    return len(data)
