"""ExecuteBinary: run a program with arguments, without a shell.

The program gets the arguments exactly as in the document: wildcards, variables and quotes are not
expanded. A name without a slash is searched in PATH. A path with a slash is used as it is; a
relative path is relative to awstoe's working directory. The program runs in that folder, with
awstoe's environment and without standard input.

On Windows a backslash counts as a slash, and the extensions in PATHEXT are optional. `cmd.exe` runs
batch files; it gets their arguments quoted, and an argument with a line break is an error.

Exit code 0 is success. Exit code 194 (3010 on Windows) requests a reboot, after which the same step
runs again.

When the step fails or times out, everything it started is ended. What a successful program leaves
in the background keeps running.
"""

from typing import Annotated, Final, NamedTuple

from awstoe.actions import program
from awstoe.actions.contract import ActionContext, Command
from awstoe.actions.fields import Program, TextList

EXAMPLE = """\
path: /bin/echo
arguments:
  - hello
  - two words
"""

_NAME: Final = "ExecuteBinary"


class Inputs(NamedTuple):
    """The inputs of a step."""

    path: Annotated[str, Program("The program: a path, or a name to search in PATH.")]
    arguments: Annotated[tuple[str, ...], TextList("The arguments, each passed as it is.")] = ()


class Outputs(NamedTuple):
    """The outputs, which later steps can refer to."""

    stdout: Annotated[str, "The program's standard output, without the final line break."]


def run(inputs: Inputs, ctx: ActionContext) -> Outputs:
    """Run the program.

    Raises:
        ActionError: The program failed or could not be started.
        TimeoutExceeded: The attempt timed out.
        Interrupted: A signal asks the run to stop.
    """
    ctx.log.info(f"{_NAME}: STARTED EXECUTION")
    try:
        result = ctx.execute(Command((inputs.path, *inputs.arguments), logged_as=inputs.path))
    finally:
        ctx.log.info(f"{_NAME}: FINISHED EXECUTION")
    program.check_exit_code(result, ctx, action=_NAME, program=inputs.path)
    return Outputs(result.stdout)
