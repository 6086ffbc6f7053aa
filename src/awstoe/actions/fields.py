"""The types an action's inputs can have: one source for validation, conversion and the reference.

An action module annotates each field of its ``Inputs`` with one of these, so that ``validate``,
the run and ``awstoe actions`` can never disagree::

    class Inputs(NamedTuple):
        path: Annotated[str, LocalPath("The file to append to.")]
        content: Annotated[str, Text("What to add at its end.")] = ""

``problem`` looks at a value that holds no reference, before the run; ``convert`` gives the typed
value during the run, when references have been resolved, and raises ``ValueError`` with the same
words. A field whose value holds a reference is judged at run time only.
"""

import re
from abc import ABC, abstractmethod
from typing import NamedTuple

from awstoe.expressions.values import Value
from awstoe.host.files import long_paths, paths
from awstoe.host.platforms import Platform, current

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})

ACCOUNT_ID = r"[0-9]{12}"
"""An AWS account; text, because the first digits may be zeros."""
S3_URI = r"s3://[^/\s]+(/.*)?"
"""An S3 location. The key is optional: real documents carry placeholders such as ``s3://<PATH>``."""
WEB_URL = r"(?i:https?)://[^/\s?#]+\S*"
"""An address on the web."""


def describe(value: Value) -> str:
    """What ``value`` is, in a document author's words."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - a line's length


class Field(ABC):
    """One input of an action.

    Args:
        help: One sentence for the reference.
        name: The key in the document, when it is no Python name.
        platforms: Where the input may be used; elsewhere it is a validation error.
    """

    kind = "string"
    choices: tuple[str, ...] = ()
    """The words it accepts, when there are few."""

    def __init__(
        self,
        help: str,
        *,
        name: str | None = None,
        platforms: frozenset[Platform] = frozenset(Platform),
    ) -> None:
        self.help = help
        self.name = name
        self.platforms = platforms

    def problem(self, value: Value, platform: Platform) -> str | None:
        """Why ``value`` cannot be used on ``platform``, as "expected ..., got ...", or None."""
        try:
            self.parse(value, platform)
        except ValueError as error:
            return str(error)
        return None

    def convert(self, value: Value) -> object:
        """The typed value for a run on this machine.

        Raises:
            ValueError: The value does not fit; the message says what was expected.
        """
        return self.parse(value, current())

    def record(self, value: Value) -> Value:
        """``value`` as the run's records show it; only values without references are passed."""
        return value

    @abstractmethod
    def parse(self, value: Value, platform: Platform) -> object:
        """The typed value, by the rules of ``platform``.

        Raises:
            ValueError: The value does not fit.
        """

    def text(self, value: Value) -> str:
        """``value`` as text, if it is a scalar that is there.

        Raises:
            ValueError: It is a list, a mapping or nothing.
        """
        if value is None or isinstance(value, list | dict):
            msg = f"expected a {self.kind}, got {describe(value)}"
            raise ValueError(msg)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)


class Text(Field):
    """Any string; a number or a boolean of the document is the text that stands in the file."""

    def parse(self, value: Value, platform: Platform) -> str:
        del platform
        return self.text(value)


class LocalPath(Field):
    """A path on this machine; ``wildcard`` allows ``*`` in its last part."""

    kind = "path"

    def __init__(
        self,
        help: str,
        *,
        wildcard: bool = False,
        name: str | None = None,
        platforms: frozenset[Platform] = frozenset(Platform),
    ) -> None:
        super().__init__(help, name=name, platforms=platforms)
        self.wildcard = wildcard

    def parse(self, value: Value, platform: Platform) -> str:
        path = self.text(value)
        if not path:
            msg = "expected a path, got an empty string"
            raise ValueError(msg)
        if "\0" in path:
            msg = "expected a path, got one with a NUL character"
            raise ValueError(msg)
        if self.wildcard and (problem := paths.wildcard_problem(path, platform)):
            raise ValueError(problem)
        if problem := paths.name_problem(path, platform):
            msg = f"expected a path, got {describe(value)}: {problem}"
            raise ValueError(msg)
        return path

    def convert(self, value: Value) -> str:
        return long_paths.usable(self.parse(value, current()))


class Boolean(Field):
    """A boolean: a YAML boolean, or the strings true and false in any case."""

    kind = "boolean"

    def parse(self, value: Value, platform: Platform) -> bool:
        del platform
        if isinstance(value, bool):
            return value
        word = self.text(value).strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        msg = f"expected true or false, got {describe(value)}"
        raise ValueError(msg)

    def record(self, value: Value) -> Value:
        return self.parse(value, Platform.LINUX)


class Integer(Field):
    """An integer of at least ``minimum``."""

    kind = "integer"

    def __init__(self, help: str, *, minimum: int = 0, name: str | None = None) -> None:
        super().__init__(help, name=name)
        self.minimum = minimum

    def parse(self, value: Value, platform: Platform) -> int:
        del platform
        word = self.text(value).strip()
        if not re.fullmatch(r"[-+]?[0-9]{1,18}", word):
            msg = f"expected an integer of at most 18 digits, got {describe(value)}"
            raise ValueError(msg)
        number = int(word)
        if number < self.minimum:
            msg = f"expected an integer of at least {self.minimum}, got {number}"
            raise ValueError(msg)
        return number

    def record(self, value: Value) -> Value:
        return self.parse(value, Platform.LINUX)


class Choice(Field):
    """One word out of a few, in any case; ``aliases`` map further spellings to them."""

    def __init__(
        self,
        help: str,
        *choices: str,
        aliases: dict[str, str] | None = None,
    ) -> None:
        super().__init__(help)
        self.choices = choices
        self._canonical = {choice.lower(): choice for choice in choices} | (aliases or {})

    def parse(self, value: Value, platform: Platform) -> str:
        del platform
        word = self.text(value)
        found = self._canonical.get(word.lower())
        if found is None:
            msg = f"expected one of {', '.join(self.choices)}, got {describe(value)}"
            raise ValueError(msg)
        return found


class Pattern(Field):
    """A string that has to match an expression; ``expected`` says so in words."""

    def __init__(
        self, help: str, expression: str, expected: str, *, name: str | None = None
    ) -> None:
        super().__init__(help, name=name)
        self.expected = expected
        self._expression = re.compile(expression)

    def parse(self, value: Value, platform: Platform) -> str:
        del platform
        word = self.text(value)
        if not self._expression.fullmatch(word):
            msg = f"expected {self.expected}, got {describe(value)}"
            raise ValueError(msg)
        return word


class Permissions(Field):
    """Octal permissions of 3 or 4 digits, as they stand in the file (Linux only)."""

    kind = "octal string"

    def __init__(self, help: str) -> None:
        super().__init__(help, platforms=frozenset({Platform.LINUX}))

    def parse(self, value: Value, platform: Platform) -> int:
        del platform
        word = self.text(value)
        if not re.fullmatch(r"[0-7]{3,4}", word):
            msg = f"expected octal permissions of 3 or 4 digits such as 0644, got {describe(value)}"
            raise ValueError(msg)
        return int(word, 8)


class TextList(Field):
    """A list of strings; ``minimum`` is how many there must be."""

    kind = "list of strings"

    def __init__(self, help: str, *, minimum: int = 0) -> None:
        super().__init__(help)
        self.minimum = minimum

    def parse(self, value: Value, platform: Platform) -> tuple[str, ...]:
        del platform
        if not isinstance(value, list):
            msg = f"expected a list of strings, got {describe(value)}"
            raise ValueError(msg)
        if len(value) < self.minimum:
            msg = "expected a list of at least one string, got an empty list"
            raise ValueError(msg)
        entry = Text("")
        items = []
        for index, item in enumerate(value):
            try:
                items.append(entry.text(item))
            except ValueError as error:
                msg = f"entry {index + 1}: {error}"
                raise ValueError(msg) from None
        return tuple(items)


class TextMap(Field):
    """A mapping of an installer's properties to strings; those in ``refused`` may not be set."""

    kind = "map of strings"

    def __init__(self, help: str, *, refused: frozenset[str] = frozenset()) -> None:
        super().__init__(help)
        self.refused = refused

    def parse(self, value: Value, platform: Platform) -> dict[str, str]:
        del platform
        if not isinstance(value, dict):
            msg = f"expected a map of names to strings, got {describe(value)}"
            raise ValueError(msg)
        entry = Text("")
        result = {}
        for name, item in value.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
                msg = f"expected a property's name (letters, digits, _ and dots), got {name!r}"
                raise ValueError(msg)
            if name.upper() in self.refused:
                msg = f"the property {name} may not be set: awstoe controls it"
                raise ValueError(msg)
            try:
                result[name] = entry.text(item)
            except ValueError as error:
                msg = f"{name}: {error}"
                raise ValueError(msg) from None
        return result


class NameValue(NamedTuple):
    """One parameter handed to a nested document."""

    name: str
    value: str


class ParameterList(Field):
    """A list of ``{name, value}`` mappings."""

    kind = "list of {name, value}"

    def parse(self, value: Value, platform: Platform) -> tuple[NameValue, ...]:
        del platform
        if value is None:
            return ()
        if not isinstance(value, list):
            msg = f"expected a list of {{name, value}} mappings, got {describe(value)}"
            raise ValueError(msg)
        entry = Text("")
        result = []
        for index, item in enumerate(value):
            if not isinstance(item, dict) or set(item) != {"name", "value"}:
                msg = (
                    f"entry {index + 1}: expected a mapping with exactly the keys"
                    f" name and value, got {describe(item)}"
                )
                raise ValueError(msg)
            try:
                result.append(NameValue(entry.text(item["name"]), entry.text(item["value"])))
            except ValueError as error:
                msg = f"entry {index + 1}: {error}"
                raise ValueError(msg) from None
        return tuple(result)


_ENCODINGS = {
    "utf8": "utf-8",
    "utf16": "utf-16-le",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    "utf32": "utf-32-le",
    "utf32le": "utf-32-le",
    "utf32be": "utf-32-be",
}


class Encoding(Field):
    """A Unicode encoding as AWSTOE spells them, in any case; bare 16 and 32 are little-endian."""

    choices = ("utf8", "utf16", "utf16-LE", "utf16-BE", "utf32", "utf32-LE", "utf32-BE")

    def parse(self, value: Value, platform: Platform) -> str:
        del platform
        word = self.text(value)
        found = None
        if re.fullmatch(r"(?i)utf-?(8|(16|32)(-(le|be))?)", word):
            found = _ENCODINGS.get(word.lower().replace("-", ""))
        if found is None:
            msg = (
                "expected an encoding out of utf8, utf16, utf16-LE, utf16-BE, utf32, utf32-LE and"
                f" utf32-BE, got {describe(value)}"
            )
            raise ValueError(msg)
        return found
