"""``awstoe actions``: the reference of the action modules."""

from collections.abc import Sequence

from awstoe.actions import reference
from awstoe.actions.table import ACTIONS
from awstoe.cli.options import Parser
from awstoe.document.suggestions import closest
from awstoe.errors import UsageError
from awstoe.reporting.console import Console

_EXAMPLES = """\
  awstoe actions
  awstoe actions CopyFile
  awstoe actions CopyFile --json"""


def run(arguments: Sequence[str], console: Console) -> int:
    """Print the reference; gives the exit code.

    Raises:
        UsageError: The options are wrong, or there is no such action.
    """
    parser = Parser("actions", "Tell what the action modules do and take.", _EXAMPLES)
    parser.add_argument("name", nargs="?", metavar="NAME", help="one action; else the list of all")
    parser.flag("--json", help="print JSON")
    options = parser.read(arguments)
    console.text(actions(options.name, as_json=options.json) + "\n")
    return 0


def actions(name: str | None, *, as_json: bool) -> str:
    """What ``awstoe actions [NAME] [--json]`` prints.

    Args:
        name: The action asked about, in any case; None for the list of all.
        as_json: For programs instead of for a person.

    Raises:
        UsageError: There is no such action.
    """
    if name is None:
        return reference.overview_json() if as_json else reference.overview_text()
    found = name if name in ACTIONS else _spelt_as_in_the_table(name)
    return reference.entry_json(found) if as_json else reference.entry_text(found)


def _spelt_as_in_the_table(name: str) -> str:
    for known in ACTIONS:
        if known.lower() == name.lower():
            return known
    guess = closest(name, tuple(ACTIONS))
    raise UsageError(
        f"there is no action module {name!r}",
        hint=f"did you mean {guess}?" if guess else "`awstoe actions` lists all of them",
    )
