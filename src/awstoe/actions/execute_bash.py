"""ExecuteBash: run a bash script.

All commands of a step are written to one temporary script file, in order, each starting on a new
line, and bash runs that file. So a later command sees the variables and the working directory of an
earlier one. The script starts in awstoe's working directory, with awstoe's environment and without
standard input. The file is removed afterwards, even if the step fails.

Carriage returns at the ends of lines are removed from the script, and the log says so: documents
and outputs from Windows have them, and bash takes them for a part of the last word.

Exit code 0 is success. The exit code is that of the last command unless the script sets another; a
failing command in the middle does not end the script. Start the script with `set -e` (and `set -o
pipefail`) to change that.

Exit code 194 requests a reboot. After the reboot the same step runs again from its first command,
so the script has to find out what it has already done.

When the step fails or times out, everything it started is ended: its processes get TERM, and KILL
if they still run after five seconds. What a successful script leaves in the background keeps
running. Redirect its output (`server > /dev/null 2>&1 &`), or the step waits five seconds for it.
"""

import re
from typing import Annotated, Final, NamedTuple

from awstoe.actions import script
from awstoe.actions.contract import ActionContext, Command
from awstoe.actions.fields import Language, Script

EXAMPLE = """\
commands:
  - set -e
  - version=$(uname -r)
  - echo "kernel $version"
"""

_HINT_IF_SILENT: Final = "it printed nothing; 'set -x' at its start prints each command"


_CARRIAGE_RETURNS: Final = re.compile(r"(?<!\r)\r++\n")


class Inputs(NamedTuple):
    """The inputs of a step."""

    commands: Annotated[
        tuple[str, ...],
        Script(
            "The lines of the script; an entry may have several lines.", Language.BASH, minimum=1
        ),
    ]


class Outputs(NamedTuple):
    """The outputs, which later steps can refer to."""

    stdout: Annotated[str, "The script's standard output, without the final line break."]


def run(inputs: Inputs, ctx: ActionContext) -> Outputs:
    """Run the commands as one script.

    Raises:
        ActionError: The script failed or could not be started.
        HostError: The script file cannot be written.
        TimeoutExceeded: The attempt timed out.
        Interrupted: A signal asks the run to stop.
    """
    text, lines = _CARRIAGE_RETURNS.subn("\n", "\n".join(inputs.commands) + "\n")
    notice = ""
    if lines:
        shown = "1 line" if lines == 1 else f"{lines} lines"
        notice = f"Removed the carriage return at the end of {shown} of the script"
    output = script.run_commands(
        "ExecuteBash",
        text,
        ".sh",
        _command,
        ctx,
        notice=notice,
        hint_if_silent=_HINT_IF_SILENT,
    )
    return Outputs(output)


def _command(path: str) -> Command:
    return Command(("bash", path), logged_as="bash")
