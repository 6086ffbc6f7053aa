"""Reboots the machine and registers a command for the next startup.

Under the SSM agent awstoe does neither: it exits with a certain code, and the agent reboots and
repeats the command. ``AWSTOE_REBOOT=exit`` selects the same without an agent.
"""

import os
import sys
import time
from collections.abc import Sequence
from typing import Final

from awstoe.errors import HostError
from awstoe.host import machine
from awstoe.host.executable import frozen
from awstoe.host.process.interruption import Interruption
from awstoe.host.reboot.startup_command import StartupCommand, SystemCommands

if sys.platform == "win32":
    from awstoe.host.reboot import windows as _platform
else:
    from awstoe.host.reboot import linux as _platform

_AGENT: Final = "AWS_SSM_INSTANCE_ID"
_CHOICE: Final = "AWSTOE_REBOOT"
_KEPT: Final = ("PATH", "AWSTOE_STDOUT_LIMIT")
"""The variables that the command gets: enough to find programs, and no secrets."""
_WAIT_SECONDS: Final = 0.2

boot_id = _platform.boot_id


def is_for_agent() -> bool:
    """Whether the SSM agent or the caller reboots when awstoe exits with the code for it."""
    return bool(os.environ.get(_AGENT)) or os.environ.get(_CHOICE) == "exit"


def obstacle() -> str:
    """Return why this process cannot reboot the machine; empty if it can."""
    if is_for_agent() or machine.is_administrator():
        return ""
    return "awstoe does not run as root or administrator"


def startup_command(name: str, arguments: Sequence[str]) -> StartupCommand:
    """Return this program with other arguments as a command for the next startup.

    Raises:
        HostError: The working directory, in which it has to run, does not exist any more.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        folder = os.getcwd()
    except OSError as error:
        raise HostError(
            f"the run cannot resume after a reboot: its working directory: {error.strerror}",
            hint="do not remove it in a step, or start the run in another folder",
        ) from error
    return StartupCommand(name, (*_program(folder), *arguments), folder, kept)


def _program(folder: str) -> tuple[str, ...]:
    """Return the words that start this program in the working directory ``folder``."""
    if frozen.is_frozen():
        return (frozen.executable(),)
    # Python would look for every module in the working directory first, where other users may put
    # theirs. Only a program that is there itself needs that.
    from pathlib import Path  # noqa: PLC0415 - only a copy in an interpreter needs it

    source = Path(__file__).resolve().parents[3]
    options = () if source == Path(folder).resolve() else ("-P",)
    return (frozen.executable(), *options, "-m", "awstoe")


def wait(seconds: int, interruption: Interruption) -> None:
    """Wait this many seconds.

    Raises:
        Interrupted: A signal asks to stop.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        interruption.check()
        time.sleep(min(left, _WAIT_SECONDS))
    interruption.check()


def install(command: StartupCommand, interruption: Interruption) -> None:
    """Register a command for the next startup of the machine.

    Raises:
        HostError: The system does not support or allow it.
        Interrupted: A signal asks to stop.
    """
    _platform.install(command, SystemCommands(interruption))


def remove(name: str, interruption: Interruption) -> None:
    """Remove what ``install`` registered, if it still exists.

    Raises:
        HostError: The system does not allow it.
        Interrupted: A signal asks to stop.
    """
    _platform.remove(name, SystemCommands(interruption))


def restart(interruption: Interruption) -> str:
    """Reboot the machine now.

    A signal during the request does not stop it: it may come from the reboot itself, and afterwards
    it would be unknown whether the machine goes down.

    Returns:
        A message for the user; usually empty.

    Raises:
        HostError: The system does not allow it.
        Interrupted: A signal asked to stop before.
    """
    interruption.check()
    return _platform.restart(SystemCommands(Interruption()))
