"""PyYAML's parser in Python, for machines without libyaml, reading tabs as libyaml does.

The two differ in one thing that real documents hold: libyaml takes a tab for white space wherever
no indentation is at stake, PyYAML nowhere. Only the white space between tokens and inside plain
scalars is scanned differently here; everything else is PyYAML's.
"""

from typing import Final

from yaml.error import Mark
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError

_BREAKS: Final = "\r\n\x85\u2028\u2029"


class PythonParser(Reader, Scanner, Parser):
    """A parser of YAML text with PyYAML's ``get_event``."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        """Skip white space, comments and line breaks."""
        while True:
            # A tab may stand where no key could begin: there it cannot be indentation.
            blanks = " \t" if self.flow_level or not self.allow_simple_key else " "
            while self.peek() in blanks:
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self._line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain_spaces(self, indent: int, start_mark: Mark) -> list[str]:
        """The white space inside a plain scalar, line breaks folded."""
        blanks = self._blanks()
        if self.peek() not in _BREAKS:
            return [blanks] if blanks else []
        first = self._line_break()
        self.allow_simple_key = True
        breaks: list[str] = []
        while not self._at_document_end():
            if self.peek() == "\t" and self.column < indent:
                raise ScannerError(
                    "while scanning a plain scalar",
                    start_mark,
                    "found a tab character that violates indentation",
                    self.get_mark(),
                )
            if self.peek() in " \t":
                self.forward()
            elif line_break := self._line_break():
                breaks.append(line_break)
            else:
                # A line feed folds to a space, or to nothing before further breaks; others stay.
                joint = first if first != "\n" else "" if breaks else " "
                return [joint, *breaks]
        return []

    def scan_block_scalar_indicators(self, start_mark: Mark) -> tuple[bool | None, int | None]:
        """How a block scalar ends (True: all line breaks kept), and its indentation, if given."""
        chomping: bool | None = None
        increment: int | None = None
        while True:
            indicator = self.peek()
            if indicator in "+-" and chomping is None:
                chomping = indicator == "+"
            elif indicator in "123456789" and increment is None:
                increment = int(indicator)
            else:
                break
            self.forward()
        if indicator not in "\0 \t" + _BREAKS:
            raise ScannerError(
                "while scanning a block scalar",
                start_mark,
                f"did not find expected comment or line break, but {indicator!r}",
                self.get_mark(),
            )
        return chomping, increment

    def scan_block_scalar_ignored_line(self, start_mark: Mark) -> None:
        """The rest of a block scalar's first line."""
        self._blanks()
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, Mark]:
        """The indentation of a block scalar's first line that is not blank."""
        found: tuple[list[str], int, Mark] = super().scan_block_scalar_indentation()
        if self.peek() == "\t":
            raise ScannerError(
                "while scanning a block scalar",
                found[2],
                "found a tab character where an indentation space is expected",
                self.get_mark(),
            )
        return found

    def _line_break(self) -> str:
        found: str = self.scan_line_break()  # type: ignore[no-untyped-call]
        return found

    def _blanks(self) -> str:
        length = 0
        while self.peek(length) in " \t":
            length += 1
        blanks: str = self.prefix(length)
        self.forward(length)
        return blanks

    def _at_document_end(self) -> bool:
        return (
            self.column == 0
            and self.prefix(3) in ("---", "...")
            and self.peek(3) in "\0 \t" + _BREAKS
        )
