"""Reboot: reboot the machine and continue with the next step.

- The state of the run is saved, the machine reboots after `delaySeconds`, and the run resumes with
  the step after this one.
- The step has no timeout. `inputs` is optional.
- Under the SSM agent, or with `AWSTOE_REBOOT=exit`, awstoe exits with 194 (3010 on Windows). The
  agent reboots the machine and repeats the command, and the run resumes.
- Otherwise awstoe needs the right to reboot. It adds itself to root's crontab, or as a systemd unit
  if there is no cron, or as a scheduled task on Windows. Then it reboots, and removes the entry
  when it runs again.
- A step can request three reboots in a row. In a loop, it can request one in each iteration.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Integer

EXAMPLE = """\
delaySeconds: 60
"""


class Inputs(NamedTuple):
    """The inputs of Reboot."""

    delay_seconds: Annotated[
        int, Integer("Seconds to wait before the reboot.", name="delaySeconds")
    ] = 0


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Request the reboot.

    Raises:
        ActionError: It is not possible, or not allowed.
    """
    ctx.request_reboot(inputs.delay_seconds, run_again=False)
