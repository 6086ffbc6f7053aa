"""Reboots the machine, and sees to it that a command is run after the next start.

Under the SSM agent awstoe does neither: it ends with an exit code, and the agent reboots and
repeats the command. ``AWSTOE_REBOOT=exit`` asks for the same without an agent.
"""

import os
import sys
import time
from collections.abc import Sequence
from typing import Final

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
"""What the command gets of the environment: enough to find programs, and no secrets."""
_WAIT_SECONDS: Final = 0.2

boot_id = _platform.boot_id


def is_for_agent() -> bool:
    """Whether somebody else reboots when awstoe ends with the exit code for it."""
    return bool(os.environ.get(_AGENT)) or os.environ.get(_CHOICE) == "exit"


def obstacle() -> str:
    """Why this process cannot reboot the machine; empty when it can."""
    if is_for_agent() or machine.is_administrator():
        return ""
    return "awstoe does not run as root or administrator"


def startup_command(name: str, arguments: Sequence[str]) -> StartupCommand:
    """This program with other arguments, for after the next start."""
    program = (frozen.executable(), *(() if frozen.is_frozen() else ("-m", "awstoe")))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return StartupCommand(name, (*program, *arguments), os.getcwd(), kept)


def wait(seconds: int, interruption: Interruption) -> None:
    """Let some time pass.

    Raises:
        Interrupted: A signal asks to stop.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        interruption.check()
        time.sleep(min(left, _WAIT_SECONDS))
    interruption.check()


def install(command: StartupCommand, interruption: Interruption) -> None:
    """Have a command run after the next start of the machine.

    Raises:
        HostError: The system has no way to do that, or refused.
        Interrupted: A signal asks to stop.
    """
    _platform.install(command, SystemCommands(interruption))


def remove(name: str, interruption: Interruption) -> None:
    """Take back what ``install`` did, if it is still there.

    Raises:
        HostError: The system refused.
        Interrupted: A signal asks to stop.
    """
    _platform.remove(name, SystemCommands(interruption))


def restart(interruption: Interruption) -> str:
    """Reboot the machine now.

    A signal that comes when that is being asked for does not stop it: nobody could tell then
    whether the machine goes down, and it may be the reboot's own.

    Returns:
        What else a person should know; mostly nothing.

    Raises:
        HostError: The system refused.
        Interrupted: A signal asked to stop before.
    """
    interruption.check()
    return _platform.restart(SystemCommands(Interruption()))
