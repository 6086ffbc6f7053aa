"""Parses the command lines of the build, signing and release tools."""

import argparse
import sys
from collections.abc import Sequence


def parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed arguments. Without arguments, print the help.

    ``help`` and ``help COMMAND`` are the same as ``--help`` and ``COMMAND --help``.

    Args:
        parser: The parser of the tool.
        arguments: The arguments; those of this process if None.

    Raises:
        SystemExit: The help was requested, or the arguments are wrong.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    if given[0] == "help":
        given = [*given[1:2], "--help"]
    return parser.parse_args(given)
