"""Writes a task for Windows' Task Scheduler as text; usable on every platform.

It is XML because the command line of schtasks cuts commands at 261 characters, and because a task
has a low priority by default, which everything that the run starts would inherit.
"""

from typing import Final

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


def task_text(command: StartupCommand) -> str:
    """Return a task that runs a command as SYSTEM when the system starts.

    SYSTEM has the machine's environment; the command's environment is not part of the task.
    """
    return _TASK.format(
        command=_escaped(command.argv[0]),
        arguments=_escaped(command_line.of_program(("x", *command.argv[1:]))[2:]),
        folder=_escaped(command.folder),
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
