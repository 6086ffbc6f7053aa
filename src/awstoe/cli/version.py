"""``awstoe version``: what this program is."""

import platform
import sys
from collections.abc import Sequence

from awstoe import __version__
from awstoe.cli.console import Console
from awstoe.cli.options import Parser
from awstoe.host import platforms

_EXAMPLES = """\
  awstoe version
  awstoe version --json"""


def run(arguments: Sequence[str], console: Console) -> int:
    """Print the version; gives the exit code.

    Raises:
        UsageError: The options are wrong.
    """
    parser = Parser("version", "Tell what this program is.", _EXAMPLES)
    parser.flag("--json", help="print one JSON object")
    options = parser.read(arguments)
    bits = 64 if sys.maxsize > 2**32 else 32
    architecture = platforms.architecture(platform.machine(), pointer_bits=bits)
    facts = {
        "version": __version__,
        "target": f"{platforms.current()}/{architecture}",
        "python": platform.python_version(),
        "executable": sys.executable,
    }
    if options.json:
        console.result(facts)
    else:
        console.text("".join(f"{name:12}{value}\n" for name, value in facts.items()))
    return 0
