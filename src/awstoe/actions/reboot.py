"""Reboot: reboot the machine and go on with the next step.

- The state of the run is saved, the machine reboots after `delaySeconds`, and the run goes on with
  the step after this one.
- The step has no timeout. `inputs` may be left out.
- Under the SSM agent, or with `AWSTOE_REBOOT=exit`, awstoe exits with 194 (3010 on Windows); the
  agent reboots and repeats the command, and the run goes on.
- Otherwise awstoe needs the rights to reboot. It enters itself into root's crontab, or as a unit of
  systemd where there is no cron, or as a task of Windows, reboots, and takes the entry back when it
  is started again.
- A step may ask for three reboots in a row. In a loop it may ask for one in each iteration.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Integer

EXAMPLE = """\
delaySeconds: 60
"""


class Inputs(NamedTuple):
    """What Reboot is given."""

    delay_seconds: Annotated[
        int, Integer("Seconds to wait before the reboot.", name="delaySeconds")
    ] = 0


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Ask for the reboot.

    Raises:
        ActionError: It cannot be done, or is forbidden.
    """
    ctx.request_reboot(inputs.delay_seconds, run_again=False)
