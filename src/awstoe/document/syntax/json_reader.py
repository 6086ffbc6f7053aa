r"""JSON text to tree-builder events.

Most JSON is YAML as well, but not all of it: libyaml refuses surrogate pairs (``\ud83d\ude00``)
and limits the length of a key, PyYAML's own parser refuses tabs. So text that looks like JSON is
read as JSON; only what turns out to be none is left to YAML.
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


class NotJson(Exception):
    """The text is no JSON."""


def feed(text: str, builder: TreeBuilder) -> None:
    """Read JSON text into ``builder``.

    Raises:
        NotJson: It is none; the builder is then of no use any more.
        Unreadable: The builder refuses what it says.
    """
    _Reader(text, builder).read()


class _Reader:
    """Walks over JSON text."""

    __slots__ = ("_builder", "_offset", "_starts", "_text")

    def __init__(self, text: str, builder: TreeBuilder) -> None:
        self._text = text
        self._builder = builder
        self._offset = 0
        self._starts = encoding.breaks(text)

    def read(self) -> None:
        """Read the one value that the text is."""
        ends = []
        while True:
            # Here a value is due.
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
            # Here a value has just ended, or an empty collection is about to.
            while ends and self._next() == ends[-1]:
                self._offset += 1
                ends.pop()
                self._builder.close()
            if not ends:
                break
            self._expect(",")
            if ends[-1] == "}":
                self._key()
        if self._next():
            raise NotJson

    def _next(self) -> str:
        """The next character that is no white space; empty at the end."""
        found = _SPACE.match(self._text, self._offset)
        if found:
            self._offset = found.end()
        return self._text[self._offset : self._offset + 1]

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise NotJson
        self._offset += 1

    def _place(self) -> tuple[int, int]:
        line = bisect_right(self._starts, self._offset)
        return line, self._offset - self._starts[line - 1] + 1

    def _key(self) -> None:
        if self._next() != '"':
            raise NotJson
        self._scalar('"')
        self._expect(":")

    def _scalar(self, opening: str) -> None:
        line, column = self._place()
        if opening == '"':
            try:
                # Strict: raw control characters make it YAML, which folds line breaks.
                text, self._offset = scanstring(self._text, self._offset + 1, True)  # noqa: FBT003
            except JSONDecodeError:
                raise NotJson from None
            if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
                raise Unreadable(
                    "bad-escape",
                    "the string holds half of a surrogate pair",
                    hint="\\ud800 to \\udbff have to be followed by \\udc00 to \\udfff",
                    line=line,
                    column=column,
                )
        else:
            found = _WORD.match(self._text, self._offset)
            if not found:
                raise NotJson
            text, self._offset = found.group(), found.end()
        self._builder.scalar(Scalar(text, plain=opening != '"', line=line, column=column))
