"""A command for the next startup, and a runner for the system's programs that register it."""

import time
from collections.abc import Collection, Mapping
from typing import NamedTuple

from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host.process import children, environment
from awstoe.host.process.interruption import Interruption
from awstoe.limits import REBOOT_PROGRAM_SECONDS


class StartupCommand(NamedTuple):
    """A command for the next startup."""

    name: str
    """Distinguishes it from those of other runs: letters, digits, ``-``, ``_`` and dots."""
    argv: tuple[str, ...]
    folder: str
    """Where it runs."""
    environment: Mapping[str, str]


class CommandResult(NamedTuple):
    """How a program of the system ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class SystemCommands:
    """Runs the system's own programs.

    Args:
        interruption: When to stop.
    """

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def run(self, *argv: str) -> CommandResult:
        """Run a program until it ends.

        Raises:
            HostError: It cannot be started, or takes too long.
            Interrupted: A signal asks to stop.
        """
        stdout, stderr = bytearray(), bytearray()
        try:
            end = children.run(
                argv,
                environment=environment.of_this_run(),
                on_stdout=stdout.extend,
                on_stderr=stderr.extend,
                deadline=time.monotonic() + REBOOT_PROGRAM_SECONDS,
                interruption=self._interruption,
            )
        except TimeoutExceeded as error:
            raise HostError(
                f"{' '.join(argv)} did not end within {REBOOT_PROGRAM_SECONDS} seconds"
            ) from error
        return CommandResult(end.exit_code, bytes(stdout), bytes(stderr))

    def run_checked(self, *argv: str, good: Collection[int] = (0,)) -> CommandResult:
        """Run a program that has to exit with a code in ``good``.

        Raises:
            HostError: It failed, cannot be started, or takes too long.
            Interrupted: A signal asks to stop.
        """
        ended = self.run(*argv)
        if ended.exit_code not in good:
            output = (ended.stdout + ended.stderr).decode(errors="replace").strip()
            raise HostError(f"{' '.join(argv)} ended with exit code {ended.exit_code}: {output}")
        return ended
