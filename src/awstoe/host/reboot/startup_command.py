"""A command that the system is to run after the next start, and the system's programs for that."""

import time
from collections.abc import Collection, Mapping
from typing import NamedTuple

from awstoe.errors import HostError, TimeoutExceeded
from awstoe.host.process import children, environment
from awstoe.host.process.interruption import Interruption
from awstoe.limits import REBOOT_PROGRAM_SECONDS


class StartupCommand(NamedTuple):
    """A command for after the next start."""

    name: str
    """Tells it from those of other runs: letters, digits, ``-``, ``_`` and dots."""
    argv: tuple[str, ...]
    folder: str
    """Where it runs."""
    environment: Mapping[str, str]


class CommandResult(NamedTuple):
    """A program of the system that is over."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class SystemCommands:
    """Runs the system's own programs.

    Args:
        interruption: Says when to stop.
    """

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def run(self, *argv: str) -> CommandResult:
        """Run a program to its end.

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
        """Run a program that has to end with an exit code of ``good``.

        Raises:
            HostError: It failed, cannot be started, or takes too long.
            Interrupted: A signal asks to stop.
        """
        ended = self.run(*argv)
        if ended.exit_code not in good:
            said = (ended.stdout + ended.stderr).decode(errors="replace").strip()
            raise HostError(f"{' '.join(argv)} ended with exit code {ended.exit_code}: {said}")
        return ended
