"""The top of the command line: finds the command, runs it, and turns errors into messages."""

import os
from collections.abc import Callable, Sequence
from typing import Final

from awstoe import __version__, contact
from awstoe.errors import AwstoeError, Interrupted, UsageError
from awstoe.host import locale_coercion
from awstoe.reporting.console import Console

HELP = f"""\
awstoe {__version__}: runs AWSTOE component documents.

usage: awstoe COMMAND [ARGUMENTS]

commands:
  run               run component documents on this machine
  validate          check documents without running them
  actions           show the reference of the action modules
  version           show the version and the components of this program
  verify-signature  check that a file was signed with a trusted key
  self-update       replace this program with a newer release
  update-bundle     check a bundle of releases for machines without a network
  help              show this help, or that of a command: help COMMAND

options:
  -h, --help     show this help and exit
  -v, --version  show the version and exit
  --quiet        print only errors on standard error
  --no-color     do not use colors (same as the environment variable NO_COLOR)

examples:
  awstoe run hello.yml
  awstoe run install.yml check.yml --phases build --parameters name=value
  awstoe validate components/ --os-platforms auto
  awstoe actions ExecuteBash

Run 'awstoe COMMAND --help' for the options of a command."""

_SEE_HELP: Final = "run 'awstoe --help'"

Command = Callable[[Sequence[str], Console], int]
COMMANDS: Final = (
    *("run", "validate", "actions", "version"),
    *("verify-signature", "self-update", "update-bundle"),
)


def main(arguments: Sequence[str]) -> int:
    """Run the command line ``arguments``, and return the exit code."""
    locale_coercion.undo()
    console = Console()
    try:
        return _dispatch(list(arguments), console)
    except AwstoeError as error:
        console.error(error)
        return error.exit_code
    except Interrupted as error:
        return 128 + error.signal_number
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if "--trace" in arguments or "-t" in arguments:
            raise
        console.error(_bug(error))
        return 1
    except SystemExit as end:  # argparse exits this way after --help
        return end.code if isinstance(end.code, int) else 0


def _bug(error: Exception) -> AwstoeError:
    return AwstoeError(
        f"unexpected {type(error).__name__}: {error}; this is a bug in awstoe",
        hint=f"run the same command with --trace to see where it fails, and {contact.report_bug()}",
    )


def _dispatch(arguments: list[str], console: Console) -> int:
    for position, argument in enumerate(arguments):
        if argument in ("-h", "--help"):
            console.text(HELP + "\n")
            return 0
        if argument in ("-v", "--version"):
            console.text(f"awstoe {__version__}\n")
            return 0
        if argument in ("--quiet", "--no-color"):
            continue
        if argument.startswith("-"):
            raise _unknown_option(argument, arguments[position + 1 :])
        if argument == "help":
            return _help(arguments[position + 1 :], console)
        rest = arguments[:position] + arguments[position + 1 :]
        return _command(argument, rest)(rest, console)
    if arguments:
        raise UsageError("a command is missing", hint=_SEE_HELP)
    # Standard output is for results, and this is none.
    console.raw(f"{HELP}\n".encode())
    return UsageError.exit_code


def _help(topics: list[str], console: Console) -> int:
    """Print the help of the command that ``topics`` start with, or that of the program."""
    if topics and topics[0] not in ("-h", "--help", "help"):
        return _command(topics[0], topics[1:])(["--help"], console)
    console.text(HELP + "\n")
    return 0


def _unknown_option(argument: str, others: list[str]) -> UsageError:
    """Return the error for an option that stands before the command."""
    # Imported here because only a mistake needs them.
    from awstoe.cli import habits
    from awstoe.document.suggestions import closest

    following = next((other for other in others if other in COMMANDS), None)
    hint = habits.option("", argument) or _SEE_HELP
    if following is not None:
        hint = f"options of a command follow it: awstoe {following} {argument}"
    elif argument in ("-d", "--documents", "--document", "-c", "--config"):
        hint = f"a command comes first: awstoe run {argument}"
    elif close := closest(argument, ("--help", "--version", "--quiet", "--no-color")):
        hint = f"did you mean {close}?"
    return UsageError(f"unknown option {argument}", hint=hint)


def _command(name: str, rest: Sequence[str]) -> Command:
    # Only the module of the requested command is imported, to keep startup fast.
    match name:
        case "run":
            from awstoe.cli.run import run

            return run
        case "validate":
            from awstoe.cli.validate import run as validate

            return validate
        case "actions":
            from awstoe.cli.actions import run as actions

            return actions
        case "version":
            from awstoe.cli.version import run as version

            return version
        case "verify-signature":
            from awstoe.cli.verify_signature import run as verify_signature

            return verify_signature
        case "self-update":
            from awstoe.cli.self_update import run as self_update

            return self_update
        case "update-bundle":
            from awstoe.cli.update_bundle import run as update_bundle

            return update_bundle
        case _:
            raise _unknown_command(name, rest)


def _unknown_command(name: str, rest: Sequence[str]) -> UsageError:
    # Imported here because only a mistake needs them.
    from awstoe.cli import habits
    from awstoe.document.suggestions import closest

    hint = _SEE_HELP
    if name.lower().endswith((".yml", ".yaml")) or os.path.exists(name):
        hint = f"to run a document: awstoe run {name}"
    elif (close := "-".join([name, *rest[:1]])) in COMMANDS or (
        close := habits.command(name) or closest(name, COMMANDS) or ""
    ):
        hint = f"did you mean 'awstoe {close}'?"
    return UsageError(f"unknown command {name!r}", hint=hint)
