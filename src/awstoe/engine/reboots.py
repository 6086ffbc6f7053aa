"""A step's wish for a reboot: in the journal first, then the run stops where it can go on later."""

from awstoe import limits
from awstoe.engine import events
from awstoe.engine.events import StepAddress
from awstoe.engine.execution import Execution
from awstoe.errors import ActionError, RebootNeeded
from awstoe.host.reboot import rebooting


class StepReboots:
    """Takes the wishes of the step at ``place``."""

    def __init__(self, execution: Execution, place: StepAddress) -> None:
        self._execution = execution
        self._place = place
        self._due: int | None = None

    def ask(self, delay_seconds: int, *, run_again: bool) -> None:
        """See ``ActionContext.request_reboot``.

        Raises:
            ActionError: Reboots are blocked, cannot be done here, or this one is one too many.
            RebootNeeded: The step is to run again after it, so that there is nothing to wait for.
        """
        if self._execution.services.reboot_blocked:
            raise ActionError("the step asks for a reboot, and --blocked-action-modules forbids it")
        record = self._execution.records.step(*self._place)
        if record.reboots >= limits.REBOOTS_IN_A_ROW:
            raise ActionError(
                f"the step asks for its reboot number {record.reboots + 1} in a row",
                hint="a script that asks for a reboot has to find out, when it runs again, what it"
                " has done already",
            )
        obstacle = rebooting.obstacle()
        if obstacle:
            raise ActionError(
                f"the step asks for a reboot, which cannot be done: {obstacle}",
                hint="run awstoe with the rights to reboot, or set AWSTOE_REBOOT=exit and reboot"
                " when it ends; the same command then goes on with the run",
            )
        self._execution.emit(events.RebootAsked(*self._place, rebooting.boot_id()))
        if run_again:
            raise RebootNeeded(delay_seconds)
        self._due = delay_seconds

    def stop_if_asked(self) -> None:
        """Stop the run, now that what the step did is in the journal.

        Raises:
            RebootNeeded: The step has asked for it.
        """
        if self._due is not None:
            raise RebootNeeded(self._due)
