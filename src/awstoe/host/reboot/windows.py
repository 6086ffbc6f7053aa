"""Windows: rebooting, and a command after it: a task of the Task Scheduler at system start."""

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
"""What shutdown.exe says when the machine is going down already."""
_SCHEDULED: Final = 1190
"""The same when it is to go down later."""


def boot_id() -> str:
    """The system's own count of its starts; empty where it keeps none."""
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _BOOTS) as key:
            return str(winreg.QueryValueEx(key, "BootId")[0])
    except OSError:
        return ""


def restart_command() -> tuple[str, ...]:
    """What reboots the machine now; ``/f`` as nobody is there to close programs."""
    return ("shutdown.exe", "/r", "/f", "/t", "0", "/d", "p:4:2")


def restart(programs: SystemCommands) -> str:
    """See ``reboot.restart``."""
    command = restart_command()
    ended = programs.run_checked(*command, good=(0, _IN_PROGRESS, _SCHEDULED))
    if ended.exit_code != _SCHEDULED:
        return ""
    # It may be hours away, and no other one is taken until then. If it is gone by now, this fails.
    programs.run("shutdown.exe", "/a")
    programs.run_checked(*command, good=(0, _IN_PROGRESS))
    return "a shutdown of the machine that had been scheduled was called off for this reboot"


def install(command: StartupCommand, programs: SystemCommands) -> None:
    """See ``reboot.install``."""
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
    """See ``reboot.remove``."""
    if programs.run("schtasks.exe", "/query", "/tn", _task(name)).exit_code == 0:
        programs.run_checked("schtasks.exe", "/delete", "/f", "/tn", _task(name))


def _task(name: str) -> str:
    return f"awstoe-{name}"
