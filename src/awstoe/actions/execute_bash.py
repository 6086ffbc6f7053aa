"""ExecuteBash: run a bash script.

All commands of a step are written, in their order and each on lines of its own, into one temporary
script file that bash then runs. So a later command sees the variables and the working folder of an
earlier one. The script starts in the folder awstoe was started in, with awstoe's environment and
without standard input; the file is removed afterwards, also when the step fails.

The exit code of the script decides: 0 is success. That is the exit code of its last command unless
the script says otherwise; a failing command in the middle does not end the script. Begin it with
`set -e` (and `set -o pipefail`) to change that.

Exit code 194 asks for a reboot. After it the same step runs again from its first command, so a
script that uses it has to find out what it has already done.

When the step fails or its time is over, everything it started is ended: the processes get TERM, and
KILL if they are still there after five seconds. What a successful script leaves in the background
lives on; redirect its output (`server > /dev/null 2>&1 &`), as the step otherwise waits five
seconds for it.
"""

from typing import Annotated, NamedTuple

from awstoe.actions import script
from awstoe.actions.contract import ActionContext, Command
from awstoe.actions.fields import TextList

EXAMPLE = """\
commands:
  - set -e
  - version=$(uname -r)
  - echo "kernel $version"
"""


class Inputs(NamedTuple):
    """What a step gives."""

    commands: Annotated[
        tuple[str, ...],
        TextList("The lines of the script; an entry may be several lines long.", minimum=1),
    ]


class Outputs(NamedTuple):
    """What later steps can refer to."""

    stdout: Annotated[str, "What the script printed to standard output, without the last line end."]


def run(inputs: Inputs, ctx: ActionContext) -> Outputs:
    """Run the commands as one script.

    Raises:
        ActionError: The script failed or could not be started.
        HostError: The script file cannot be written.
        TimeoutExceeded: The attempt's time is over.
        Interrupted: A signal asks the run to stop.
    """
    text = "\n".join(inputs.commands) + "\n"
    return Outputs(script.run_commands("ExecuteBash", text, ".sh", _command, ctx))


def _command(path: str) -> Command:
    return Command(("bash", path), logged_as="bash")
