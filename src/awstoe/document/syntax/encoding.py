"""From a document's bytes to its text, and to the lines that problems are shown with.

What is no text is refused here, before a parser sees it: other encodings, binary files, control
characters. A place in a document counts lines as YAML does, so ``lines`` cuts as YAML does.
"""

import re
from typing import Final

from awstoe.document.diagnostics import Unreadable

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# Three more are refused, looked for one by one: with them the class would take 7 ms to compile.
_CONTROLS: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NO_CHARACTERS: Final = ("\ufeff", "\ufffe", "\uffff")
_OTHER_ENCODINGS: Final = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_UTF8_HINT: Final = "save the file as UTF-8"


def decode(data: bytes) -> str:
    """The text of a document, without a byte order mark.

    Raises:
        Unreadable: It is empty, not UTF-8, or holds characters that no document can.
    """
    if not data.strip():
        raise Unreadable(
            "empty-document",
            "the document is empty; expected at least schemaVersion and phases",
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
        raise _refused_character(text, found.start())
    if not text.isascii():
        for character in _NO_CHARACTERS:
            if (offset := text.find(character)) >= 0:
                raise _refused_character(text, offset)
    return text


def lines(text: str) -> list[str]:
    """The lines of ``text``, without their ends."""
    return _BREAK.split(text)


def shown_lines(data: bytes) -> list[str]:
    """The lines of a document for showing problems, whatever the bytes are."""
    return lines(data.decode("utf-8-sig", "replace"))


def breaks(text: str) -> list[int]:
    """The offsets at which the lines of ``text`` begin."""
    return [0, *(found.end() for found in _BREAK.finditer(text))]


def _place(text: str, offset: int) -> tuple[int, int]:
    """The line and column of ``offset``."""
    before = _BREAK.split(text[:offset])
    return len(before), len(before[-1]) + 1


def _other_encoding(name: str) -> Unreadable:
    return Unreadable("not-utf-8", f"the document is {name} text; expected UTF-8", hint=_UTF8_HINT)


def _binary(data: bytes, offset: int) -> Unreadable:
    # Text in UTF-16 without a byte order mark has a NUL in every second byte.
    head = data[:64]
    if head[1::2].count(0) * 4 > len(head) or head[::2].count(0) * 4 > len(head):
        odd, even = head[1::2].strip(b"\0"), head[::2].strip(b"\0")
        if not odd or not even:
            return _other_encoding("UTF-16")
    return Unreadable(
        "binary-file",
        f"expected a text file, got a binary one: there is a NUL byte at offset {offset}",
    )


def _invalid_utf8(data: bytes, offset: int) -> Unreadable:
    line, column = _place(data[:offset].decode("utf-8-sig", "replace"), offset)
    return Unreadable(
        "not-utf-8",
        f"expected UTF-8 text, got the byte 0x{data[offset]:02X} at offset {offset}",
        hint=_UTF8_HINT,
        line=line,
        column=column,
    )


def _refused_character(text: str, offset: int) -> Unreadable:
    line, column = _place(text, offset)
    code = ord(text[offset])
    return Unreadable(
        "control-character",
        f"the character U+{code:04X} cannot stand in a document",
        hint=f"where it is meant, write it as \\u{code:04x} in a double-quoted string",
        line=line,
        column=column,
    )
