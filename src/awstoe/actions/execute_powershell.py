"""ExecutePowerShell: run PowerShell commands or a script file.

Set either `commands` or `file`, not both. All commands of a step are written to one temporary
script file, in order, each starting on a new line. So a later command sees the variables and the
location of an earlier one. The file is UTF-8 with a byte-order mark, so that Windows PowerShell
reads every character. It is removed afterwards, even if the step fails. `file` is the path of your
own script; a relative path is relative to awstoe's working directory.

The script runs as `powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File
SCRIPT` with the `powershell.exe` in PATH. It starts in awstoe's working directory, with awstoe's
environment and without standard input; a prompt is an error.

Exit code 0 is success. The exit code is that of `exit`, or 1 after an error that ends the script
(`throw`, or any error with `$ErrorActionPreference = 'Stop'`), otherwise 0. To fail when a program
failed, write `exit $LASTEXITCODE` after it.

Exit code 3010 requests a reboot. After the reboot the same step runs again from its first command,
so the script has to find out what it has already done.

`stdout` is standard output without its final line break; standard error is not part of it. Lines
that are not UTF-8 are decoded with the console's code page.

When the step times out, the script and everything it started get Ctrl-Break if they share a console
with awstoe, and are ended after five seconds. What a failed script leaves in the background is
ended too; what a successful script leaves keeps running.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from awstoe.actions import powershell, program, script
from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Language, PathPattern, Script
from awstoe.errors import ActionError
from awstoe.expressions.values import Value
from awstoe.host.files import file_types, oserrors

EXAMPLE = """\
commands:
  - Set-TimeZone -Id 'UTC'
  - Write-Host 'done'
"""

_NAME: Final = "ExecutePowerShell"


class Inputs(NamedTuple):
    """The inputs of ExecutePowerShell."""

    commands: Annotated[
        tuple[str, ...],
        Script("The commands; each may have several lines.", Language.POWERSHELL, minimum=1),
    ] = ()
    file: Annotated[
        str | None, PathPattern("The script to run.", r"(?is).+\.ps1", "the path of a .ps1 file")
    ] = None


class Outputs(NamedTuple):
    """The outputs of ExecutePowerShell."""

    stdout: Annotated[str, "The script's standard output, without the final line break."]


def conflict(given: Mapping[str, Value]) -> str | None:
    """Want exactly one of ``commands`` and ``file``."""
    if "commands" in given and "file" in given:
        return "expected either 'commands' or 'file', got both"
    if "commands" not in given and "file" not in given:
        return "expected 'commands' or 'file', got neither"
    return None


def run(inputs: Inputs, ctx: ActionContext) -> Outputs:
    """Run the commands as one script, or the script file.

    Raises:
        ActionError: The script failed, is missing, or could not be started.
        HostError: The script file cannot be written.
        TimeoutExceeded: The attempt timed out.
        Interrupted: A signal asks the run to stop.
    """
    if inputs.file is not None:
        return Outputs(_run_file(inputs.file, ctx))
    text = powershell.BYTE_ORDER_MARK + "\n".join(inputs.commands) + "\n"
    return Outputs(script.run_commands(_NAME, text, ".ps1", powershell.command, ctx))


def _run_file(path: str, ctx: ActionContext) -> str:
    ctx.log.info(f"{_NAME}: STARTED EXECUTION")
    try:
        _require(path)
        result = ctx.execute(powershell.command(path))
    finally:
        ctx.log.info(f"{_NAME}: FINISHED EXECUTION")
    program.check_exit_code(result, ctx, action=_NAME, program=path)
    return result.stdout


def _require(path: str) -> None:
    """Check that the script exists: PowerShell's own message is long, or missing."""
    try:
        file_types.require_file(path)
    except ActionError as error:
        raise ActionError(f"{_NAME}: {error.message}", hint=error.hint) from error
    except OSError as error:
        reason, hint = oserrors.explain(error)
        raise ActionError(f"{_NAME}: cannot read the script: {reason}", hint=hint) from error
