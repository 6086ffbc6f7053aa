"""Windows: reboots, and runs a command at the next startup with the Task Scheduler."""

import os
import sys
import winreg
from typing import Final

from awstoe.host.files import temporary
from awstoe.host.files.own_files import replace_file
from awstoe.host.reboot.scheduled_task import task_text
from awstoe.host.reboot.startup_command import StartupCommand, SystemCommands

assert sys.platform == "win32"

_BOOTS: Final = (
    r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
)

_IN_PROGRESS: Final = 1115
"""The exit code of shutdown.exe if the machine is already going down."""
_SCHEDULED: Final = 1190
"""The same if a later shutdown is scheduled."""


def boot_id() -> str:
    """Return the system's count of its startups; empty if it has none."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _BOOTS) as key:
            return str(winreg.QueryValueEx(key, "BootId")[0])
    except OSError:
        return ""


def restart_command() -> tuple[str, ...]:
    """Return the command that reboots the machine now; ``/f`` as no user may be there."""
    return ("shutdown.exe", "/r", "/f", "/t", "0", "/d", "p:4:2")


def restart(programs: SystemCommands) -> str:
    """Reboot the machine now, as ``rebooting.restart`` does."""
    command = restart_command()
    ended = programs.run_checked(*command, good=(0, _IN_PROGRESS, _SCHEDULED))
    if ended.exit_code != _SCHEDULED:
        return ""
    # It may be hours away, and Windows accepts no other one until then. If it was canceled by now,
    # this fails.
    programs.run("shutdown.exe", "/a")
    programs.run_checked(*command, good=(0, _IN_PROGRESS))
    return "a scheduled shutdown of the machine was canceled for this reboot"


def install(command: StartupCommand, programs: SystemCommands) -> None:
    """Register a command for the next startup, as ``rebooting.install`` does."""
    folder = temporary.make_folder()
    try:
        path = os.path.join(folder, "task.xml")
        replace_file(path, [task_text(command).encode("utf-16")])
        programs.run_checked(
            "schtasks.exe", "/create", "/f", "/tn", _task(command.name), "/xml", path
        )
    finally:
        temporary.remove_folder(folder)


def remove(name: str, programs: SystemCommands) -> None:
    """Remove a registered command, as ``rebooting.remove`` does."""
    if programs.run("schtasks.exe", "/query", "/tn", _task(name)).exit_code == 0:
        programs.run_checked("schtasks.exe", "/delete", "/f", "/tn", _task(name))


def _task(name: str) -> str:
    return f"awstoe-{name}"
