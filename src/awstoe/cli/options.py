"""Parses command lines: the parser class, and the value formats that several commands share."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from awstoe.errors import UsageError


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help text with a fixed width: reading the terminal's width would load shutil."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80, max_help_position=28)


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviations, whose errors are ``UsageError``."""

    def __init__(self, command: str, description: str, examples: str) -> None:
        super().__init__(
            prog=f"awstoe {command}",
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=_Help,
            allow_abbrev=False,
            add_help=False,
        )
        self._flags: dict[str, str] = {}
        self.add_argument("-h", "--help", action="help", help="show this help and exit")
        self.flag("--quiet", help="print only errors on standard error")
        self.flag("--no-color", help="do not use colors (same as NO_COLOR)")

    def flag(self, *names: str, help: str, group: argparse._ArgumentGroup | None = None) -> None:
        """Add a boolean option: ``--x``, ``--x=true`` or ``--x=false``; None if it is not given."""
        (group or self).add_argument(
            *names, nargs="?", type=_boolean, default=None, metavar="BOOL", help=help
        )
        for name in names:
            self._flags[name] = f"{name}=true" if name.startswith("--") else f"{name}true"

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse ``arguments``.

        Raises:
            UsageError: They are not valid.
        """
        given = [self._flags.get(argument, argument) for argument in arguments]
        options, unknown = self.parse_known_args(given)
        if unknown:
            raise self._unknown(unknown[0])
        return options

    def _unknown(self, argument: str) -> UsageError:
        hint = f"run '{self.prog} --help'"
        if not argument.startswith("-"):
            if "--documents" in self._option_string_actions:
                hint = f"use --documents to name documents, or {hint}"
            return UsageError(f"{self.prog}: unexpected argument {argument!r}", hint=hint)
        from awstoe.document.suggestions import closest

        name = argument.partition("=")[0]
        close = closest(name, tuple(self._option_string_actions))
        if close:
            hint = f"did you mean {close}?"
        return UsageError(f"{self.prog}: unknown option {name}", hint=hint)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's error as ours."""
        raise UsageError(f"{self.prog}: {message}", hint=f"run '{self.prog} --help'")


def _boolean(text: str) -> bool:
    word = text.removeprefix("=").lower()
    if word not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}")
    return word == "true"


def comma_list(values: Sequence[str] | None, option: str) -> tuple[str, ...]:
    r"""Return the entries of a list option that may be given several times; ``\,`` is a comma.

    Raises:
        UsageError: An entry is empty.
    """
    entries: list[str] = []
    for value in values or ():
        for entry in split_commas(value):
            if not entry.strip():
                raise UsageError(
                    f"{option}: empty entry in {value!r}",
                    hint="separate entries with single commas, without spaces",
                )
            entries.append(entry.strip())
    return tuple(entries)


def split_commas(text: str) -> list[str]:
    r"""Split ``text`` at commas; ``\,`` is a comma, and any other backslash is kept."""
    if "\\," not in text:
        return text.split(",")
    return [part.replace("\0", ",") for part in text.replace("\\,", "\0").split(",")]


def parameters(values: Sequence[str] | None) -> dict[str, str]:
    """Return the values of ``--parameters name=value,...``.

    Raises:
        UsageError: An entry has no name or no value, or a name is given twice.
    """
    found: dict[str, str] = {}
    for value in values or ():
        for entry in split_commas(value):
            name, equals, text = entry.partition("=")
            name = name.strip()
            if not name or not equals:
                raise UsageError(
                    f"--parameters: expected name=value, got {entry!r}",
                    hint="write a comma inside a value as '\\,'",
                )
            if not text:
                raise UsageError(
                    f"--parameters: the parameter {name} has no value",
                    hint="remove it to use its default; for an empty value, use --config",
                )
            if name in found:
                raise UsageError(f"--parameters: the parameter {name} is given twice")
            found[name] = text
    return found
