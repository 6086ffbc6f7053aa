"""What the exit code of a step's program means: success, failure, or a wish for a reboot.

Shared by the actions that run programs. Not an action.
"""

import signal
from typing import Final

from awstoe.actions.contract import ActionContext, Result
from awstoe.errors import ActionError
from awstoe.host.platforms import REBOOT_EXIT_CODE, current

_SIGNAL_OFFSET: Final = 128
"""Shells report a program that signal N ended as 128 + N, and so do we."""


def conclude(result: Result, ctx: ActionContext, *, action: str, program: str) -> None:
    """Do what the exit code asks for.

    Args:
        result: How the program ended.
        ctx: The run, which may be asked for a reboot.
        action: The action's name, for messages.
        program: What the program is called in messages, for example ``the script``.

    Raises:
        ActionError: The program failed, or asks for a reboot that cannot be had.
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
    hint = None
    if result.exit_code == _SIGNAL_OFFSET + 9:
        hint = "Often the system ran out of memory and ended it: look at dmesg."
    raise ActionError(
        f"{action}: {program} ended with exit code {result.exit_code}{_meaning(result.exit_code)}",
        hint=hint,
        process_exit_code=result.exit_code,
        stderr_tail=result.stderr_tail,
    )


def _meaning(exit_code: int) -> str:
    try:
        return f" (signal {signal.Signals(exit_code - _SIGNAL_OFFSET).name})"
    except ValueError:
        return ""
