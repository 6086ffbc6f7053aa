"""``awstoe actions``: shows the reference of the action modules."""

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
  awstoe actions folder
  awstoe actions CopyFile --json"""


def run(arguments: Sequence[str], console: Console) -> int:
    """Print the reference, and return the exit code.

    Raises:
        UsageError: The options are not valid, or there is no such action.
    """
    parser = Parser(
        "actions", "Show what the action modules do, and their inputs and outputs.", _EXAMPLES
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="one action, or a word: list the actions that contain it (default: list all)",
    )
    parser.flag("--json", help="print JSON")
    options = parser.read(arguments)
    text = actions(options.name, as_json=options.json, width=console.width())
    console.text(text + "\n")
    return 0


def actions(name: str | None, *, as_json: bool, width: int | None = None) -> str:
    """Return what ``awstoe actions [NAME] [--json]`` prints.

    Args:
        name: The action, in upper or lower case, or a part of its name or of what it does; None for
            the list of all actions.
        as_json: Whether to return JSON instead of text.
        width: The columns of the terminal for text; None for lines of any length.

    Raises:
        UsageError: There is no such action.
    """
    if name is not None:
        for known in ACTIONS:
            if known.lower() == name.lower():
                if as_json:
                    return reference.entry_json(known)
                return reference.entry_text(known, width=width)
    names = tuple(ACTIONS) if name is None else _matching(name)
    if as_json:
        return reference.overview_json(names)
    return reference.overview_text(names, width=width)


def _matching(word: str) -> tuple[str, ...]:
    """Return the actions that have ``word`` in their names or, if there are none, their summaries.

    Raises:
        UsageError: There are none, or ``word`` is a misspelled name.
    """
    wanted = word.strip().lower()
    if wanted and (found := tuple(name for name in ACTIONS if _has_word(name, wanted))):
        return found
    guess = closest(word, tuple(ACTIONS))
    for text_of in (str, reference.summary):
        found = tuple(name for name in ACTIONS if wanted in text_of(name).lower())
        if found and wanted and guess is None:
            return found
    raise UsageError(
        f"there is no action module {word!r}",
        hint=f"did you mean {guess}?" if guess else "to list all of them, run 'awstoe actions'",
    )


def _has_word(name: str, wanted: str) -> bool:
    """Whether ``wanted`` is one or more whole words of a name such as ``ExecuteBash``."""
    start = name.lower().find(wanted)
    end = start + len(wanted)
    return start >= 0 and name[start].isupper() and not name[end : end + 1].islower()
