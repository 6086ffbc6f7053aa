"""ExecutePowerShell: run PowerShell commands or a script file.

- Give either `commands` or `file`, not both. All commands of the step become one script, so a later
  one sees the variables of an earlier one; its exit code is the step's.
- Exit code 3010 asks for a reboot, after which the same step runs again: write scripts that can run
  twice.
- `stdout` is standard output without its last line end; standard error is not mixed in.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from awstoe.actions.fields import Pattern, TextList
from awstoe.expressions.values import Value

EXAMPLE = """\
commands:
  - Set-TimeZone -Id 'UTC'
  - Write-Host 'done'
"""


class Inputs(NamedTuple):
    """What ExecutePowerShell is given."""

    commands: Annotated[
        tuple[str, ...], TextList("The commands; each may have several lines.", minimum=1)
    ] = ()
    file: Annotated[
        str | None, Pattern("The script to run.", r"(?is).+\.ps1", "the path of a .ps1 file")
    ] = None


class Outputs(NamedTuple):
    """What ExecutePowerShell gives."""

    stdout: Annotated[str, "What the script wrote to standard output."]


def conflict(given: Mapping[str, Value]) -> str | None:
    """Want exactly one of ``commands`` and ``file``."""
    if "commands" in given and "file" in given:
        return "expected either 'commands' or 'file', got both"
    if "commands" not in given and "file" not in given:
        return "expected 'commands' or 'file', got neither"
    return None
