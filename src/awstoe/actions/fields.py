"""The types of action inputs: one source for validation, conversion and the reference.

An action module annotates each field of its ``Inputs`` with one of these types, so that
``validate``, the run and ``awstoe actions`` cannot disagree::

    class Inputs(NamedTuple):
        path: Annotated[str, LocalPath("The file to append to.")]
        content: Annotated[str, Text("What to add at its end.")] = ""

Before the run, ``problem`` checks a value that contains no references. During the run, after
references have been resolved, ``convert`` returns the typed value or raises ``ValueError`` with the
same message. A value that contains a reference is checked only during the run.
"""

import re
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import NamedTuple

from awstoe.expressions.values import Value
from awstoe.host.files import long_paths, paths
from awstoe.host.platforms import Platform, current

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})

ACCOUNT_ID = r"[0-9]{12}"
"""An AWS account ID. A string, because it can start with zeros."""
S3_URI = r"s3://[^/\s]+(/.*)?"
"""An S3 URI. The key is optional: real documents contain placeholders such as ``s3://<PATH>``."""
WEB_URL = r"(?i:https?)://[^/\s?#]+\S*"
"""An HTTP or HTTPS URL."""


def describe(value: Value) -> str:
    """Return what ``value`` is, as text for the author of a document."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - a line's length


class FieldProblem(NamedTuple):
    """Why a value does not fit a field."""

    message: str
    """"expected ..., got ..."."""
    entry: int | None = None
    """The position of the list entry that does not fit, from 0; None for the value as a whole."""


class EntryError(ValueError):
    """An entry of a list does not fit.

    Attributes:
        entry: Its position, from 0.
        message: Why it does not fit.
    """

    def __init__(self, entry: int, message: str) -> None:
        super().__init__(f"entry {entry + 1}: {message}")
        self.entry = entry
        self.message = message


class Field(ABC):
    """One input of an action.

    Args:
        help: One sentence for the reference.
        name: The key in the document, if it is not a Python name.
        platforms: Where the input can be used; elsewhere it is a validation error.
    """

    kind = "string"
    choices: tuple[str, ...] = ()
    """The values it accepts, if there are only a few."""
    is_path = False
    """Whether it is a path on this machine. Nothing expands ``~`` or variables in it."""

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

    def problem(self, value: Value, platform: Platform) -> FieldProblem | None:
        """Return why ``value`` cannot be used on ``platform``, or None if it can."""
        try:
            self.parse(value, platform)
        except EntryError as error:
            return FieldProblem(error.message, error.entry)
        except ValueError as error:
            return FieldProblem(str(error))
        return None

    def convert(self, value: Value) -> object:
        """Return the typed value for a run on this machine.

        Raises:
            ValueError: The value does not fit; the message says what was expected.
        """
        return self.parse(value, current())

    def record(self, value: Value) -> Value:
        """Return ``value`` as the run's records show it; it contains no references."""
        return value

    @abstractmethod
    def parse(self, value: Value, platform: Platform) -> object:
        """Return the typed value by the rules of ``platform``.

        Raises:
            ValueError: The value does not fit.
        """

    def text(self, value: Value) -> str:
        """Return a scalar as text.

        Raises:
            ValueError: ``value`` is a list, a mapping or None.
        """
        if value is None or isinstance(value, list | dict):
            article = "an" if self.kind[0] in "aeiou" else "a"
            msg = f"expected {article} {self.kind}, got {describe(value)}"
            raise ValueError(msg)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)


class Text(Field):
    """Any string. A number or boolean keeps its text from the document."""

    def parse(self, value: Value, platform: Platform) -> str:
        del platform
        return self.text(value)


def _check_controls(path: str) -> None:
    """Check that ``path`` has no control characters and no line separators.

    Raises:
        ValueError: It has.
    """
    if problem := paths.control_problem(path):
        msg = f"expected a path, got {describe(path)}: {problem}, which is not allowed in a path"
        raise ValueError(msg)


class LocalPath(Field):
    """A path on this machine; ``wildcard`` allows ``*`` in its last part."""

    kind = "path"
    is_path = True

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
            msg = "expected a path without NUL characters"
            raise ValueError(msg)
        _check_controls(path)
        if self.wildcard and (problem := paths.wildcard_problem(path, platform)):
            raise ValueError(problem)
        if problem := paths.name_problem(path, platform):
            msg = f"expected a path, got {describe(value)}: {problem}"
            raise ValueError(msg)
        return path

    def convert(self, value: Value) -> str:
        return long_paths.usable(self.parse(value, current()))


class Program(LocalPath):
    """A program: a path, or a name to search."""


class Boolean(Field):
    """A boolean: true, yes or on; false, no or off; in any case, quoted or not."""

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
    """One of a few words, in any case; ``aliases`` maps other spellings to them."""

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
    """A string that must match an expression; ``expected`` describes it in messages."""

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


class PathPattern(Pattern):
    """A path that must match an expression."""

    is_path = True

    def parse(self, value: Value, platform: Platform) -> str:
        path = super().parse(value, platform)
        _check_controls(path)
        return path


class DocumentLocation(Text):
    """Where a document is: a path, an S3 URI or an ARN."""

    is_path = True

    def parse(self, value: Value, platform: Platform) -> str:
        location = super().parse(value, platform)
        _check_controls(location)
        return location


class TextList(Field):
    """A list of at least ``minimum`` strings."""

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
                raise EntryError(index, str(error)) from None
        return tuple(items)


class Language(StrEnum):
    """The language of a script."""

    BASH = "bash"
    POWERSHELL = "PowerShell"


class Script(TextList):
    """The lines of a script; an entry may have several lines."""

    def __init__(self, help: str, language: Language, *, minimum: int = 0) -> None:
        super().__init__(help, minimum=minimum)
        self.language = language


class TextMap(Field):
    """A mapping of installer properties to strings; those in ``refused`` cannot be set."""

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
                msg = (
                    "expected a property name of letters, digits, underscores and dots, got"
                    f" {name!r}"
                )
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
    """One parameter for a nested document."""

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
                message = (
                    f"expected a mapping with exactly the keys name and value, got {describe(item)}"
                )
                raise EntryError(index, message)
            try:
                result.append(NameValue(entry.text(item["name"]), entry.text(item["value"])))
            except ValueError as error:
                raise EntryError(index, str(error)) from None
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
    """A Unicode encoding as AWSTOE spells it, in any case; plain 16 and 32 are little-endian."""

    choices = ("utf8", "utf16", "utf16-LE", "utf16-BE", "utf32", "utf32-LE", "utf32-BE")

    def parse(self, value: Value, platform: Platform) -> str:
        del platform
        word = self.text(value)
        found = None
        if re.fullmatch(r"(?i)utf-?(8|(16|32)(-(le|be))?)", word):
            found = _ENCODINGS.get(word.lower().replace("-", ""))
        if found is None:
            msg = f"expected one of {', '.join(self.choices)}, got {describe(value)}"
            raise ValueError(msg)
        return found
