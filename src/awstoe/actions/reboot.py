"""Reboot: reboot the machine and go on with the next step.

- The state of the run is saved, the machine reboots after `delaySeconds`, and the run goes on with
  the step after this one.
- The step has no timeout. `inputs` may be left out.
- Under the SSM agent awstoe exits with 194 (Linux) or 3010 (Windows), and the agent reboots.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.fields import Whole

EXAMPLE = """\
delaySeconds: 60
"""


class Inputs(NamedTuple):
    """What Reboot is given."""

    delay_seconds: Annotated[
        int, Whole("Seconds to wait before the reboot.", name="delaySeconds")
    ] = 0
