r"""Encodes and decodes the text of files, with errors that name the position.

Byte-order marks are never added. ReadFile does not return a mark at the start of a file, and
SetFileEncoding keeps it. To write a mark, make it the first character of the content
(``"\uFEFF..."`` in YAML).
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

from awstoe.errors import ActionError

_MARKS: Final = (
    # UTF-32's mark starts with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf32-LE"),
    (codecs.BOM_UTF32_BE, "utf32-BE"),
    (codecs.BOM_UTF16_LE, "utf16-LE"),
    (codecs.BOM_UTF16_BE, "utf16-BE"),
)


def encode(text: str, encoding: str) -> bytes:
    """Encode ``text`` without adding a byte-order mark.

    Raises:
        ActionError: It contains half of a surrogate pair, which cannot be encoded.
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise ActionError(
            f"character {error.start + 1} of the content, U+{ord(text[error.start]):04X}, is half"
            " of a surrogate pair and cannot be written",
            hint="write the whole character into the document",
        ) from error


def decode(data: bytes, encoding: str) -> str:
    """Decode ``data`` without the byte-order mark at its start.

    Raises:
        ActionError: A byte is not valid in the encoding; the message has its offset.
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(error, error.start, data[:4]) from error
    return text.removeprefix("\ufeff")


def converted(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Convert UTF-8 ``chunks`` to another encoding.

    Raises:
        ActionError: They are not UTF-8; the message names the byte.
    """
    start = b""
    pending = b""
    offset = 0
    for chunk in chunks:
        start = start or chunk[:4]
        data = pending + chunk
        text, used = _decoded(data, offset, start, final=False)
        pending = data[used:]
        offset += used
        yield text.encode(encoding)
    text, _ = _decoded(pending, offset, start, final=True)
    yield text.encode(encoding)


def _decoded(data: bytes, offset: int, start: bytes, *, final: bool) -> tuple[str, int]:
    try:
        return codecs.utf_8_decode(data, "strict", final)
    except UnicodeDecodeError as error:
        raise _undecodable(error, offset + error.start, start) from error


def _undecodable(error: UnicodeDecodeError, offset: int, start: bytes) -> ActionError:
    byte = error.object[error.start]
    mark = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    hint = (
        f"the file starts with the byte-order mark of {mark}"
        if mark and not error.encoding.startswith(mark[:3] + "-" + mark[3:5])
        else "set the encoding that the file has; binary files are not supported"
    )
    return ActionError(
        f"the byte 0x{byte:02x} at offset {offset} is not {error.encoding}: {error.reason}",
        hint=hint,
    )
