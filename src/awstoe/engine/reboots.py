"""Reboot requests of steps.

A request goes into the journal first. The run then stops at a point from which it can resume.
"""

from awstoe import limits
from awstoe.engine import events
from awstoe.engine.events import StepAddress
from awstoe.engine.execution import Execution
from awstoe.errors import ActionError, PermanentError, RebootNeeded
from awstoe.host.reboot import rebooting


class StepReboots:
    """Handles the reboot requests of one step."""

    def __init__(self, execution: Execution, address: StepAddress) -> None:
        self._execution = execution
        self._address = address
        self._due: int | None = None

    def request(self, delay_seconds: int, *, run_again: bool) -> None:
        """Request a reboot after the step, as ``ActionContext.request_reboot`` describes.

        Raises:
            ActionError: Reboots are blocked, not possible here, or too many in a row.
            RebootNeeded: The step runs again after the reboot, so there is nothing to wait for.
        """
        if self._execution.services.reboot_blocked:
            raise PermanentError(
                "the step requests a reboot, which --blocked-action-modules forbids"
            )
        record = self._execution.records.step(*self._address)
        if record.reboots >= limits.REBOOTS_IN_A_ROW:
            raise ActionError(
                f"the step requests its reboot number {record.reboots + 1} in a row",
                hint="make the script check, when it runs again after a reboot, what it has done"
                " already",
            )
        obstacle = rebooting.obstacle()
        if obstacle:
            raise ActionError(
                f"the step requests a reboot, which is not possible: {obstacle}",
                hint="run awstoe with permission to reboot, or set AWSTOE_REBOOT=exit and reboot"
                " when it exits; the same command then resumes the run",
            )
        self._execution.emit(events.RebootAsked(*self._address, rebooting.boot_id()))
        if run_again:
            raise RebootNeeded(delay_seconds)
        self._due = delay_seconds

    def stop_if_requested(self) -> None:
        """Stop the run if a reboot was requested: the journal has what the step did.

        Raises:
            RebootNeeded: The step has requested it.
        """
        if self._due is not None:
            raise RebootNeeded(self._due)
