"""ExecuteBinary: run a program with arguments, without a shell.

The arguments reach the program as they stand in the document: nothing expands wildcards, variables
or quotes. A program named without a slash is looked for in PATH; a path with one is used as it is,
a relative one counting from the folder awstoe was started in. The program runs in that folder, with
awstoe's environment and without standard input.

On Windows a backslash counts like a slash, and the extensions of PATHEXT may be left out. Batch
files are run by `cmd.exe`; their arguments stay arguments, and one with a line end is refused.

Exit code 0 is success. Exit code 194 (3010 on Windows) asks for a reboot, after which the same step
runs again.

When the step fails or its time is over, everything it started is ended; what a successful program
leaves in the background lives on.
"""

from typing import Annotated, Final, NamedTuple

from awstoe.actions import program
from awstoe.actions.contract import ActionContext, Command
from awstoe.actions.fields import LocalPath, TextList

EXAMPLE = """\
path: /bin/echo
arguments:
  - hello
  - two words
"""

_NAME: Final = "ExecuteBinary"


class Inputs(NamedTuple):
    """What a step gives."""

    path: Annotated[str, LocalPath("The program: a path, or a name that is looked for in PATH.")]
    arguments: Annotated[
        tuple[str, ...], TextList("The arguments, each handed over as it is.")
    ] = ()


class Outputs(NamedTuple):
    """What later steps can refer to."""

    stdout: Annotated[
        str, "What the program printed to standard output, without the last line end."
    ]


def run(inputs: Inputs, ctx: ActionContext) -> Outputs:
    """Run the program.

    Raises:
        ActionError: The program failed or could not be started.
        TimeoutExceeded: The attempt's time is over.
        Interrupted: A signal asks the run to stop.
    """
    ctx.log.info(f"{_NAME}: STARTED EXECUTION")
    try:
        result = ctx.execute(Command((inputs.path, *inputs.arguments), logged_as=inputs.path))
    finally:
        ctx.log.info(f"{_NAME}: FINISHED EXECUTION")
    program.check_exit_code(result, ctx, action=_NAME, program=inputs.path)
    return Outputs(result.stdout)
