"""Parses command lines: the parser class that all commands share."""

import argparse
import os
import re
from collections.abc import Collection, Sequence
from typing import Final, NoReturn

from awstoe.errors import UsageError

_NO_BOOLEAN: Final = "expected true or false"
_REPEATED_V: Final = re.compile(r"-v{2,}")
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "0"), "false"),
}


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help text with a fixed width: reading the terminal's width would load shutil."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80, max_help_position=28)


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviations, whose errors are ``UsageError``."""

    def __init__(self, command: str, description: str, examples: str) -> None:
        self._command = command
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
        """Add a boolean option: ``--x``, ``--x=true`` or ``--x=false``; None if it is not given.

        The last of its names is a long one.
        """
        (group or self).add_argument(
            *names, nargs="?", type=_boolean, default=None, metavar="BOOL", help=help
        )
        self._flags.update(dict.fromkeys(names, f"{names[-1]}=true"))

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse ``arguments``; options and other arguments may come in any order.

        Raises:
            UsageError: They are not valid.
        """
        options, others = self._sorted(arguments)
        given, unknown = self.parse_known_args([*options, "--", *others] if others else options)
        unknown = [argument for argument in unknown if argument != "--"]
        if unknown:
            raise self._unknown(unknown[0])
        return given

    def options_in(self, arguments: Sequence[str], *, without: Collection[str]) -> tuple[str, ...]:
        """Return the options in ``arguments`` with their values, except those in ``without``.

        Args:
            arguments: What ``read`` accepts.
            without: All names of the options to leave out.
        """
        left: list[str] = []
        options = iter(self._sorted(arguments)[0])
        for argument in options:
            name = argument.partition("=")[0] if argument.startswith("--") else argument[:2]
            action = self._option_string_actions[name]
            words = [argument]
            if argument == name and action.nargs is None:
                words.append(next(options))
            if name not in without:
                left += words
        return tuple(left)

    def _sorted(self, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the options with their values, and the other arguments.

        argparse takes the others from one place only: of ``a.yml --strict b.yml``, not the second.
        """
        options: list[str] = []
        others: list[str] = []
        waiting = iter(arguments)
        flag = ""
        for argument in waiting:
            before, flag = flag, argument if argument in self._flags else ""
            if argument == "--":
                others += waiting
            elif argument == "-" or not argument.startswith("-"):
                if before and argument.lower() in _BOOLEANS and not os.path.lexists(argument):
                    raise self._separate_value(before, argument)
                others.append(argument)
            elif _REPEATED_V.fullmatch(argument):
                raise self._unknown(argument)
            elif f"-{argument.partition('=')[0]}" in self._option_string_actions:
                # Python would take -strict for -s with the value 'trict'.
                raise self._unknown(argument)
            else:
                options.append(self._flags.get(argument, argument))
                action = self._option_string_actions.get(argument)
                if action is not None and action.nargs is None:
                    options += (value for _, value in zip("1", waiting, strict=False))
        return options, others

    def _separate_value(self, flag: str, value: str) -> UsageError:
        long = self._flags[flag].partition("=")[0]
        return UsageError(
            f"{self.prog}: unexpected argument {value!r}",
            hint=f"write {long}={_BOOLEANS[value.lower()]}",
        )

    def _unknown(self, argument: str) -> UsageError:
        # Imported here because only a mistake needs them.
        from awstoe.cli import habits
        from awstoe.document.suggestions import closest

        hint = f"run '{self.prog} --help'"
        if not argument.startswith("-"):
            return UsageError(f"{self.prog}: unexpected argument {argument!r}", hint=hint)
        name = argument.partition("=")[0]
        known = tuple(self._option_string_actions)
        if f"-{name}" in known:
            hint = f"write two hyphens: -{name}"
        elif meant := habits.option(self._command, name):
            hint = meant
        elif close := closest(name, [option for option in known if option.startswith("--")]):
            hint = f"did you mean {close}?"
        return UsageError(f"{self.prog}: unknown option {name}", hint=hint)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's error as ours."""
        hint = f"run '{self.prog} --help'"
        if _NO_BOOLEAN in message:
            hint = "give the option alone, or with =true or =false"
        raise UsageError(f"{self.prog}: {message}", hint=hint)


def _boolean(text: str) -> bool:
    word = text.removeprefix("=").lower()
    if word not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{_NO_BOOLEAN}, got {text!r}")
    return word == "true"
