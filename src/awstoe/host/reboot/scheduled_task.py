"""Writes a task for Windows' Task Scheduler as text; usable on every platform.

It is XML because the command line of schtasks cuts commands at 261 characters, and because a task
has a low priority by default, which everything that the run starts would inherit.
"""

import re
from typing import Final

from awstoe.errors import HostError
from awstoe.host.process import command_line
from awstoe.host.reboot.startup_command import StartupCommand

_TASK: Final = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>S-1-5-18</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""

_VARIABLE: Final = re.compile("%[^%]+%")
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def task_text(command: StartupCommand) -> str:
    """Return a task that runs a command as SYSTEM when the system starts.

    SYSTEM has the machine's environment; the command's environment is not part of the task.

    Raises:
        HostError: XML cannot have a character, or the scheduler would replace a part of a path.
    """
    program, *arguments = command.argv
    for path in (program, command.folder):
        if _VARIABLE.search(path):
            raise HostError(
                "the run cannot resume after a reboot: the Task Scheduler would replace the"
                f" variable in {path}",
                hint="run awstoe in a folder without percent signs in its name",
            )
    return _TASK.format(
        command=_escaped(program),
        arguments=_escaped(" ".join(map(_argument, arguments))),
        folder=_escaped(command.folder),
    )


def _argument(text: str) -> str:
    """Quote an argument so that the scheduler replaces no ``%NAME%`` in it.

    Every percent sign is outside of quotes and all else inside, and no variable has a quote in its
    name.
    """
    if "%" not in text:
        return command_line.of_program(("x", text))[2:]
    return "%".join(command_line.in_quotes(part) if part else "" for part in text.split("%"))


def _escaped(text: str) -> str:
    if found := _NOT_IN_XML.search(text):
        raise HostError(
            "the run cannot resume after a reboot: a task of the Task Scheduler cannot have the"
            f" character U+{ord(found[0]):04X} of its command",
            hint="pass the parameters in a configuration file",
        )
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"&#{ord(sign)};" if sign in "\t\n\r" else sign for sign in text)
