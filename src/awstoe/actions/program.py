"""Interprets the exit code of a step's program: success, failure, or a request for a reboot.

Shared by the actions that run programs; not an action itself.
"""

from awstoe.actions.contract import ActionContext, Result
from awstoe.errors import ActionError
from awstoe.host.platforms import REBOOT_EXIT_CODE, current


def check_exit_code(result: Result, ctx: ActionContext, *, action: str, program: str) -> None:
    """Request a reboot or raise an error, depending on the exit code.

    Args:
        result: How the program ended.
        ctx: The run.
        action: The action's name, for messages.
        program: The program's name in messages, for example ``the script``.

    Raises:
        ActionError: The program failed, or requests a reboot that is not possible.
    """
    if result.exit_code == 0:
        return
    if result.exit_code == REBOOT_EXIT_CODE[current()]:
        try:
            ctx.request_reboot(0, run_again=True)
        except ActionError as error:
            error.process_exit_code = result.exit_code
            error.stderr_tail = result.stderr_tail
            raise
        return
    from awstoe.host.process import exit_codes  # noqa: PLC0415 - saves start-up time: most steps succeed

    meaning = exit_codes.meaning(result.exit_code)
    raise ActionError(
        f"{action}: {program} ended with exit code {result.exit_code}"
        + (f" ({meaning})" if meaning else ""),
        hint=exit_codes.hint(result.exit_code),
        process_exit_code=result.exit_code,
        stderr_tail=result.stderr_tail,
    )
