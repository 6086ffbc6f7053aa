"""Runs commands as one script, which is written to a private folder and removed afterwards.

Shared by the actions that run scripts; not an action itself.
"""

from collections.abc import Callable

from awstoe.actions import program
from awstoe.actions.contract import ActionContext, Command
from awstoe.errors import HostError
from awstoe.host.files import temporary


def run_commands(
    action: str,
    text: str,
    suffix: str,
    command: Callable[[str], Command],
    ctx: ActionContext,
    *,
    notice: str = "",
    hint_if_silent: str | None = None,
) -> str:
    """Run a script and return its standard output.

    Args:
        action: The action's name, for the log and for messages.
        text: The script.
        suffix: The end of its file name.
        command: Returns the command that runs the script at a path.
        ctx: The run.
        notice: What the log has to say about the script; may be empty.
        hint_if_silent: What to do if the script fails without printing anything.

    Raises:
        ActionError: The script failed or could not be started.
        HostError: The script file cannot be written.
        TimeoutExceeded: The attempt timed out.
        Interrupted: A signal asks the run to stop.
    """
    log = ctx.log
    log.info(f"{action}: STARTED EXECUTION")
    if notice:
        log.info(f"{action}: {notice}")
    folder = ctx.temporary_folder()
    log.info(f"{action}: Created temporary directory: {folder}")
    try:
        script = temporary.write_script(folder, text, suffix)
        log.info(f"{action}: Created temporary script file at: {script}")
        result = ctx.execute(command(script)._replace(script=text))
    finally:
        _remove(action, folder, ctx)
        log.info(f"{action}: FINISHED EXECUTION")
    # bash names the temporary file, which says nothing: the line in it is enough.
    result = result._replace(cause=result.cause.removeprefix(f"{script}: "))
    program.check_exit_code(
        result, ctx, action=action, program="the script", hint_if_silent=hint_if_silent
    )
    return result.stdout


def _remove(action: str, folder: str, ctx: ActionContext) -> None:
    """Remove the folder; if that fails, warn, but let the step succeed."""
    ctx.log.info(f"{action}: Removing temporary directory: {folder}")
    try:
        ctx.remove_folder(folder)
    except HostError as error:
        ctx.log.warning(f"{action}: {error.message}")
    else:
        ctx.log.info(f"{action}: Successfully removed temporary directory: {folder}")
