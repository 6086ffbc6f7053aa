"""Reboots the machine between two parts of a run.

Under an agent there is nothing to do: the agent reboots when awstoe exits with the exit code for
it, and repeats the command. Otherwise a startup command that resumes the run is installed first,
and the machine is rebooted last, after everything has been written and reported.
"""

import os
import signal
from typing import Final

from awstoe.errors import AwstoeError, HostError, Interrupted
from awstoe.host.platforms import REBOOT_EXIT_CODE, current
from awstoe.host.process.interruption import Interruption
from awstoe.host.reboot import rebooting
from awstoe.reporting.console import Console
from awstoe.session.request import RunRequest
from awstoe.state.store import safe_name

_CTRL_C: Final = 130
_TERMINATED: Final = 143
_OF_THE_PROCESS: Final = ("/dev/", "/proc/")
"""Where Linux has what a shell passes to a program: ``/dev/stdin``, and ``/dev/fd/63``."""


def exit_code(error: Interrupted) -> int:
    """Return the exit code of an interrupted run."""
    return _CTRL_C if error.signal_number == signal.SIGINT else _TERMINATED


def _check_files(request: RunRequest) -> None:
    """Check that the files of the command can be read again after a reboot.

    Raises:
        HostError: One of them cannot.
    """
    no_way = "the run cannot resume after a reboot"
    if any(each.from_stdin for each in request.documents):
        raise HostError(
            f"{no_way}: a document was read from standard input",
            hint="save the document as a file and run that file",
        )
    config = [] if request.config is None else [request.config]
    for path in (*config, *(each.path for each in request.documents)):
        if not os.path.exists(path):
            raise HostError(
                f"{no_way}: {path} does not exist anymore",
                hint="do not remove or move it in a step",
            )
        if not os.path.isfile(path) or os.path.abspath(path).startswith(_OF_THE_PROCESS):
            raise HostError(
                f"{no_way}: {path} is not a file that exists then",
                hint="save its content as a file and use that file",
            )


class Rebooting:
    """Reboots for one run.

    Args:
        console: Where warnings and errors go.
        interruption: Tells when a signal requests the run to stop.
        execution_id: The execution ID of the run.
        request: What the run has to do.
    """

    def __init__(
        self,
        console: Console,
        interruption: Interruption,
        execution_id: str,
        request: RunRequest,
    ) -> None:
        self._request = request
        self._console = console
        self._interruption = interruption
        self._name = safe_name(execution_id)
        arguments = request.arguments
        options = ("--resume", "--execution-id", execution_id)
        end = arguments.index("--") if "--" in arguments else len(arguments)
        self._command = ("run", *arguments[:end], *options, *arguments[end:])

    def arrange(self) -> None:
        """Install the startup command that resumes the run after the reboot.

        Raises:
            HostError: The system does not permit it.
            Interrupted: A signal requests the run to stop.
        """
        if rebooting.is_for_agent():
            return
        _check_files(self._request)
        try:
            rebooting.install(
                rebooting.startup_command(self._name, self._command), self._interruption
            )
            self._interruption.check()
        except Interrupted:
            self._take_back()
            raise

    def clear(self) -> None:
        """Remove the startup command: the run has been resumed.

        Raises:
            HostError: The system does not permit it.
            Interrupted: A signal requests the run to stop.
        """
        if not rebooting.is_for_agent():
            rebooting.remove(self._name, self._interruption)

    def reboot(self, hint: str) -> int:
        """Reboot the machine. Return the exit code.

        Args:
            hint: How to resume the run manually.
        """
        requested = REBOOT_EXIT_CODE[current()]
        if rebooting.is_for_agent():
            self._console.line(
                "awstoe: a step requests a reboot: reboot the machine, then repeat this command to"
                f" continue the run; an agent does both when it sees exit code {requested}"
            )
            return requested
        if self._interruption.signal_number is None:
            self._console.line(
                "awstoe: a step requests a reboot: the machine reboots now, and the run continues"
                " after it"
            )
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
                f"awstoe: {signal.Signals(number).name} arrived after the reboot was requested:"
                " the machine reboots, and the run resumes after it"
            )
        return requested

    def _take_back(self) -> None:
        """Undo ``arrange``: an interrupted run must not resume by itself."""
        try:
            rebooting.remove(self._name, Interruption())
        except HostError as error:
            self._console.line(
                "awstoe: warning: the run may resume by itself after the next start of the"
                f" machine: {error.message}"
            )
