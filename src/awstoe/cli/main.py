"""The command line's top: finds the command, runs it, and turns errors into messages."""

from collections.abc import Callable, Sequence
from typing import Final

from awstoe import __version__
from awstoe.errors import AwstoeError, Interrupted, UsageError
from awstoe.reporting.console import Console

HELP = f"""\
awstoe {__version__}: carries out AWSTOE component documents.

usage: awstoe COMMAND [OPTIONS]

commands:
  run               run component documents on this machine
  validate          check documents without running them
  actions           the reference of the action modules
  version           what this program is
  verify-signature  check that a file is what a trusted key has signed
  self-update       replace this program by a newer release
  update-bundle     check a bundle of releases for machines without a network

options:
  -h, --help     show this help and end
  -v, --version  show the version and end
  --quiet        print nothing but errors on standard error
  --no-color     no colours (the environment variable NO_COLOR does the same)

examples:
  awstoe run --documents hello.yml
  awstoe run -d install.yml,check.yml --phases build,validate --parameters name=value
  awstoe validate -d hello.yml --os-platforms linux,windows
  awstoe actions ExecuteBash

`awstoe COMMAND --help` tells the options of a command."""

Command = Callable[[Sequence[str], Console], int]
_COMMANDS: Final = (
    *("run", "validate", "actions", "version"),
    *("verify-signature", "self-update", "update-bundle"),
)


def main(arguments: Sequence[str]) -> int:
    """Run the command line ``arguments``; gives the exit code."""
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
    except SystemExit as end:  # argparse ends --help this way
        return end.code if isinstance(end.code, int) else 0


def _bug(error: Exception) -> AwstoeError:
    return AwstoeError(
        f"unexpected {type(error).__name__}: {error}; this is a bug in awstoe",
        hint="the same command with --trace shows where it is; please report that",
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
            raise UsageError(f"unknown option {argument}", hint="see `awstoe --help`")
        rest = arguments[:position] + arguments[position + 1 :]
        return _command(argument)(rest, console)
    raise UsageError("a command is missing", hint="see `awstoe --help`")


def _command(name: str) -> Command:
    # Each command's module is imported when it is asked for: start-up counts.
    match name:
        case "run":
            from awstoe.cli.run import run  # noqa: PLC0415

            return run
        case "validate":
            from awstoe.cli.validate import run as validate  # noqa: PLC0415

            return validate
        case "actions":
            from awstoe.cli.actions import run as actions  # noqa: PLC0415

            return actions
        case "version":
            from awstoe.cli.version import run as version  # noqa: PLC0415

            return version
        case "verify-signature":
            from awstoe.cli.verify_signature import run as verify_signature  # noqa: PLC0415

            return verify_signature
        case "self-update":
            from awstoe.cli.self_update import run as self_update  # noqa: PLC0415

            return self_update
        case "update-bundle":
            from awstoe.cli.update_bundle import run as update_bundle  # noqa: PLC0415

            return update_bundle
        case _:
            from awstoe.document.suggestions import closest  # noqa: PLC0415

            close = closest(name, _COMMANDS)
            hint = f"did you mean `awstoe {close}`?" if close else "see `awstoe --help`"
            raise UsageError(f"unknown command {name!r}", hint=hint)
