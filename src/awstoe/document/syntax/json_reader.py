r"""Reads JSON text and sends its events to a tree builder.

Most JSON is also YAML, but libyaml rejects surrogate pairs (``\ud83d\ude00``) and limits the length
of a key. Therefore text that looks like JSON is read as JSON first, and as YAML only if it is not
JSON.
"""

import re
from bisect import bisect_right
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Final

from awstoe.document.diagnostics import Unreadable
from awstoe.document.syntax import encoding
from awstoe.document.syntax.nodes import Mapping, Scalar, Sequence, TreeBuilder

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WORD: Final = re.compile(
    r"(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?![\w.+-])"
)

_EXPECTED_IN_STRINGS: Final = {
    "Invalid control character at": "no control character in a string",
    "Invalid \\escape": "an escape",
    "Invalid \\uXXXX escape": "an escape",
}
"""By the messages of the library; a string that does not end has another one."""


class NotJson(Exception):
    """The text is not JSON.

    Attributes:
        offset: Where it no longer is.
        expected: What JSON has there.
    """

    def __init__(self, offset: int, expected: str) -> None:
        super().__init__(expected)
        self.offset = offset
        self.expected = expected


def feed(text: str, builder: TreeBuilder) -> None:
    """Read JSON text into ``builder``.

    Raises:
        NotJson: It is not JSON; the builder cannot be used afterwards.
        Unreadable: It is JSON that is not allowed in a document.
    """
    _Reader(text, builder).read()


class _Reader:
    """Reads JSON text from start to end."""

    __slots__ = ("_builder", "_offset", "_starts", "_text")

    def __init__(self, text: str, builder: TreeBuilder) -> None:
        self._text = text
        self._builder = builder
        self._offset = 0
        self._starts = encoding.breaks(text)

    def read(self) -> None:
        """Read the text, which must be a single value."""
        ends = []
        while True:
            # A value must start here.
            opening = self._next()
            if opening in ("{", "["):
                line, column = self._place()
                self._builder.open((Mapping if opening == "{" else Sequence)(line, column))
                self._offset += 1
                ends.append("}" if opening == "{" else "]")
                if self._next() != ends[-1]:
                    if opening == "{":
                        self._key()
                    continue
            else:
                self._scalar(opening)
            # A value has just ended here, or an empty collection is about to end.
            while ends and self._next() == ends[-1]:
                self._offset += 1
                ends.pop()
                self._builder.close()
            if not ends:
                break
            self._expect(",", f"',' or '{ends[-1]}'")
            if ends[-1] == "}":
                self._key()
        if self._next():
            raise NotJson(self._offset, "the end of the file")

    def _next(self) -> str:
        """Return the next character that is not white space, or '' at the end."""
        found = _SPACE.match(self._text, self._offset)
        if found:
            self._offset = found.end()
        return self._text[self._offset : self._offset + 1]

    def _expect(self, character: str, expected: str) -> None:
        if self._next() != character:
            raise NotJson(self._offset, expected)
        self._offset += 1

    def _place(self) -> tuple[int, int]:
        line = bisect_right(self._starts, self._offset)
        return line, self._offset - self._starts[line - 1] + 1

    def _key(self) -> None:
        if self._next() != '"':
            raise NotJson(self._offset, "a key in double quotes")
        self._scalar('"')
        self._expect(":", "':'")

    def _scalar(self, opening: str) -> None:
        line, column = self._place()
        start = self._offset
        if opening == '"':
            try:
                # Strict: with raw control characters it is YAML, which folds line breaks.
                text, self._offset = scanstring(self._text, self._offset + 1, True)  # noqa: FBT003
            except JSONDecodeError as error:
                raise NotJson(error.pos, _EXPECTED_IN_STRINGS.get(error.msg, "'\"'")) from None
            if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
                raise Unreadable(
                    "bad-escape",
                    "the string contains half of a surrogate pair",
                    hint="write \\ud800 to \\udbff only before \\udc00 to \\udfff",
                    line=line,
                    column=column,
                )
        else:
            found = _WORD.match(self._text, self._offset)
            if not found:
                raise NotJson(self._offset, "a value")
            text, self._offset = found.group(), found.end()
        quoted = opening == '"'
        self._builder.scalar(
            Scalar(
                text,
                plain=not quoted,
                line=line,
                column=column,
                style='"' if quoted else "",
                start=start,
                end=self._offset,
            )
        )
