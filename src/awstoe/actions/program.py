"""Interprets the exit code of a step's program: success, failure, or a request for a reboot.

Shared by the actions that run programs; not an action itself.
"""

from awstoe.actions.contract import ActionContext, Result
from awstoe.errors import ActionError
from awstoe.host.platforms import REBOOT_EXIT_CODE, current


def check_exit_code(
    result: Result,
    ctx: ActionContext,
    *,
    action: str,
    program: str,
    hint_if_silent: str | None = None,
) -> None:
    """Request a reboot or raise an error, depending on the exit code.

    Args:
        result: How the program ended.
        ctx: The run.
        action: The action's name, for messages.
        program: The program's name in messages, for example ``the script``.
        hint_if_silent: What to do if it failed without a word.

    Raises:
        ActionError: The program failed, or requests a reboot that is not possible.
    """
    if result.exit_code == 0:
        return
    if result.exit_code == REBOOT_EXIT_CODE[current()]:
        try:
            ctx.request_reboot(0, run_again=True)
        except ActionError as error:
            raise failure(result, error.message, hint=error.hint, meaning=None) from error
        return
    from awstoe.host.process import exit_codes  # noqa: PLC0415 - saves start-up time: most steps succeed

    message = f"{action}: {program} ended with exit code {result.exit_code}"
    meaning = exit_codes.meaning(result.exit_code, by_signal=result.by_signal)
    guess = None if meaning or result.cause else exit_codes.guess(result.exit_code)
    if guess is not None:
        message += f", {guess}"
    hint = exit_codes.hint(result.exit_code, out_of_memory=result.out_of_memory)
    if hint is None and not (result.stdout_tail or result.stderr_tail):
        hint = hint_if_silent
    raise failure(result, message, hint=hint, meaning=meaning)


def failure(
    result: Result, message: str, *, hint: str | None = None, meaning: str | None = None
) -> ActionError:
    """Return the error for a program that failed, with what it printed.

    Args:
        result: How the program ended.
        message: The first part of the message.
        hint: What to do about it.
        meaning: What the exit code means.
    """
    if meaning:
        message += f" ({meaning})"
    if result.cause:
        message += f": {result.cause}"
    return ActionError(
        message,
        hint=hint,
        process_exit_code=result.exit_code,
        stderr_tail=result.stderr_tail,
        stdout_tail=result.stdout_tail,
        stdout_first=result.stdout_first,
    )
