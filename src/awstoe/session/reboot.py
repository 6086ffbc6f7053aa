"""The reboot of the machine between two parts of a run, as far as the command line sees it.

Under an agent nothing is done: it reboots when awstoe ends with the exit code for it, and repeats
the command. Otherwise what goes on with the run is arranged first and the machine rebooted last,
after everything has been written and told.
"""

import signal
from collections.abc import Sequence
from typing import Final

from awstoe.errors import AwstoeError, HostError, Interrupted
from awstoe.host.platforms import REBOOT_EXIT_CODE, current
from awstoe.host.process.interruption import Interruption
from awstoe.host.reboot import rebooting
from awstoe.reporting.console import Console
from awstoe.state.store import safe_name

_CTRL_C: Final = 130
_TERMINATED: Final = 143


def exit_code(error: Interrupted) -> int:
    """What an interrupted run ends with."""
    return _CTRL_C if error.signal_number == signal.SIGINT else _TERMINATED


class Rebooting:
    """Reboots for one run.

    Args:
        console: Hears what a person should know.
        interruption: Says when to stop.
        execution_id: The run's.
        arguments: What followed ``run`` when the run was started.
    """

    def __init__(
        self,
        console: Console,
        interruption: Interruption,
        execution_id: str,
        arguments: Sequence[str],
    ) -> None:
        self._console = console
        self._interruption = interruption
        self._name = safe_name(execution_id)
        self._command = ("run", *arguments, "--resume", "--execution-id", execution_id)

    def arrange(self) -> None:
        """See to it that the run goes on after the reboot.

        Raises:
            HostError: The system does not let us.
            Interrupted: A signal asks to stop.
        """
        if rebooting.is_for_agent():
            return
        try:
            rebooting.install(
                rebooting.startup_command(self._name, self._command), self._interruption
            )
            self._interruption.check()
        except Interrupted:
            self._take_back()
            raise

    def clear(self) -> None:
        """Remove what ``arrange`` made: the run goes on.

        Raises:
            HostError: The system does not let us.
            Interrupted: A signal asks to stop.
        """
        if not rebooting.is_for_agent():
            rebooting.remove(self._name, self._interruption)

    def reboot(self, hint: str) -> int:
        """Reboot the machine; gives the exit code.

        Args:
            hint: How to go on with a run by hand.
        """
        asked = REBOOT_EXIT_CODE[current()]
        if rebooting.is_for_agent():
            return asked
        try:
            warning = rebooting.restart(self._interruption)
        except HostError as error:
            self._console.error(HostError(error.message, hint=f"reboot the machine; {hint}"))
            return error.exit_code
        except Interrupted as error:
            self._take_back()
            name = signal.Signals(error.signal_number).name
            message = f"Interrupted by {name}: the machine is not rebooted."
            self._console.error(AwstoeError(message, hint=hint))
            return exit_code(error)
        if warning:
            self._console.line(f"awstoe: warning: {warning}")
        number = self._interruption.signal_number
        if number is not None:
            self._console.line(
                f"awstoe: {signal.Signals(number).name} came when the reboot had been asked for:"
                " the machine reboots, and the run goes on after it"
            )
        return asked

    def _take_back(self) -> None:
        """Undo ``arrange``: whoever interrupts the run does not want it to go on by itself."""
        try:
            rebooting.remove(self._name, Interruption())
        except HostError as error:
            self._console.line(
                "awstoe: warning: the run may go on by itself after the next start of the machine:"
                f" {error.message}"
            )
