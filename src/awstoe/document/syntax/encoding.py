"""Decodes the bytes of a document to its text, and splits the text into lines.

Other encodings, binary files and control characters are rejected here, before any parser sees them.
Positions in a document count lines as YAML does, so ``lines`` splits as YAML does.
"""

from typing import Final

from awstoe.document.diagnostics import Unreadable
from awstoe.late_patterns import pattern

_BREAK: Final = pattern("\r\n|[\n\r\x85\u2028\u2029]")
# Three more are rejected, searched one by one: with them, the class would take 7 ms to compile.
_CONTROLS: Final = pattern("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NONCHARACTERS: Final = ("\ufeff", "\ufffe", "\uffff")
_OTHER_ENCODINGS: Final = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_UTF8_HINT: Final = "save the file as UTF-8"


def decode(data: bytes) -> str:
    """Return the text of a document, without a byte order mark.

    Raises:
        Unreadable: It is empty, not UTF-8, or contains a character that is not allowed.
    """
    if not data.strip():
        raise Unreadable(
            "empty-document",
            "the document is empty; expected at least 'schemaVersion' and 'phases'",
            hint="check that this is the right file, and that it was saved",
        )
    for mark, name in _OTHER_ENCODINGS:
        if data.startswith(mark):
            raise _other_encoding(name)
    if (nul := data.find(b"\0")) >= 0:
        raise _binary(data, nul)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid_utf8(data, error.start) from None
    if found := _CONTROLS.search(text):
        raise _forbidden_character(text, found.start())
    if not text.isascii():
        for character in _NONCHARACTERS:
            if (offset := text.find(character)) >= 0:
                raise _forbidden_character(text, offset)
    return text


def lines(text: str) -> list[str]:
    """Return the lines of ``text``, without line breaks."""
    return _BREAK.split(text)


def line_at(text: str, start: int, most: int) -> str:
    """Return up to ``most`` characters from the offset ``start`` to the end of its line."""
    return _BREAK.split(text[start : start + most], maxsplit=1)[0]


def shown_lines(data: bytes) -> list[str]:
    """Return the lines of a document for rendering problems, whatever the bytes are."""
    return lines(data.decode("utf-8-sig", "replace"))


def breaks(text: str) -> list[int]:
    """Return the offsets at which the lines of ``text`` start."""
    return [0, *(found.end() for found in _BREAK.finditer(text))]


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of ``offset``."""
    before = _BREAK.split(text[:offset])
    return len(before), len(before[-1]) + 1


def _other_encoding(name: str) -> Unreadable:
    return Unreadable("not-utf-8", f"expected UTF-8 text, got {name} text", hint=_UTF8_HINT)


def _binary(data: bytes, offset: int) -> Unreadable:
    # In UTF-16 text without a byte order mark, every second byte is NUL.
    head = data[:64]
    if head[1::2].count(0) * 4 > len(head) or head[::2].count(0) * 4 > len(head):
        odd, even = head[1::2].strip(b"\0"), head[::2].strip(b"\0")
        if not odd or not even:
            return _other_encoding("UTF-16")
    return Unreadable(
        "binary-file",
        f"expected a text file, got a binary file with a NUL byte at offset {offset}",
        hint="check that this is the right file",
    )


def _invalid_utf8(data: bytes, offset: int) -> Unreadable:
    line, column = place(data[:offset].decode("utf-8-sig", "replace"), offset)
    return Unreadable(
        "not-utf-8",
        f"expected UTF-8 text, got the byte 0x{data[offset]:02X} at offset {offset}",
        hint=_UTF8_HINT,
        line=line,
        column=column,
    )


def _forbidden_character(text: str, offset: int) -> Unreadable:
    line, column = place(text, offset)
    code = ord(text[offset])
    return Unreadable(
        "control-character",
        f"the character U+{code:04X} is not allowed in a document",
        hint=f"remove it, or write it as \\u{code:04x} in a double-quoted string",
        line=line,
        column=column,
    )
