"""Linux: reboots, and registers a command for the next startup.

It goes into an ``@reboot`` line of root's crontab, as in the AWSTOE user guide. Where there is no
cron, systemd gets a unit that runs once.
"""

import os
import re
import signal
import sys
from typing import Final

from awstoe.errors import HostError
from awstoe.host.files import temporary
from awstoe.host.files.own_files import explain, replace_file
from awstoe.host.process import environment, system_programs
from awstoe.host.process.linux import process_table
from awstoe.host.reboot.startup_command import StartupCommand, SystemCommands

assert sys.platform == "linux"

_NO_CRONTAB: Final = re.compile(rb"no crontab for|No such file", re.IGNORECASE)
_CRON_BYTES: Final = 998
"""Longest command; Debian's crontab rejects longer ones."""
_UNIT_FOLDER: Final = "/etc/systemd/system"
_ENDED_BY_THE_REBOOT: Final = 128 + signal.SIGTERM
"""The exit code of the reboot command if the system goes down before it has ended."""


boot_id: Final = process_table.boot_id


def restart_command() -> tuple[str, ...]:
    """Return the command that reboots the machine now."""
    for command in (("shutdown", "-r", "now"), ("systemctl", "reboot")):
        if _exists(command[0]):
            return command
    return ("reboot",)


def restart(programs: SystemCommands) -> str:
    """Reboot the machine now, as ``rebooting.restart`` does."""
    programs.run_checked(*restart_command(), good=(0, _ENDED_BY_THE_REBOOT))
    return ""


def install(command: StartupCommand, programs: SystemCommands) -> None:
    """Register a command for the next startup, as ``rebooting.install`` does."""
    systemd = _exists("systemctl")
    if _exists("crontab") and not (systemd and _is_too_much_for_cron(command)):
        lines = [line for line in _crontab(programs) if not _is_ours(line, command.name)]
        _write_crontab([*lines, cron_line(command)], programs)
    elif systemd:
        path = _unit_path(command.name)
        replace_file(path, [unit_text(command)])
        programs.run_checked("systemctl", "daemon-reload")
        programs.run_checked("systemctl", "enable", os.path.basename(path))
    else:
        raise HostError(
            "the run cannot resume after a reboot: there is neither crontab nor systemctl",
            hint="install cron, or set AWSTOE_REBOOT=exit and reboot the machine yourself",
        )


def remove(name: str, programs: SystemCommands) -> None:
    """Remove a registered command, as ``rebooting.remove`` does."""
    if _exists("crontab"):
        lines = _crontab(programs)
        left = [line for line in lines if not _is_ours(line, name)]
        if left != lines:
            _write_crontab(left, programs)
    path = _unit_path(name)
    if os.path.exists(path):
        programs.run_checked("systemctl", "disable", os.path.basename(path))
        try:
            os.unlink(path)
        except OSError as error:
            raise explain(error, f"remove {path}") from error
        programs.run_checked("systemctl", "daemon-reload")


def _exists(program: str) -> bool:
    return system_programs.find(program, environment.of_this_run()) is not None


# --- cron -------------------------------------------------------------------------------------
def cron_line(command: StartupCommand) -> str:
    """Return the line for the crontab.

    Raises:
        HostError: An argument cannot be written in a crontab.
    """
    text = _shell_command(command)
    if "\n" in text:
        raise HostError(
            "the run cannot resume after a reboot: cron does not support line breaks in a command",
            hint="pass the parameters in a configuration file",
        )
    # cron turns percent signs into line breaks, even in quotes.
    return f"@reboot {text}".replace("%", "\\%")


def _shell_command(command: StartupCommand) -> str:
    import shlex  # noqa: PLC0415 - few runs reboot

    variables = [f"{name}={value}" for name, value in command.environment.items()]
    words = shlex.join(["env", *variables, *command.argv])
    folder = shlex.quote(command.folder)
    # The log folder lacks the errors that keep a run from resuming: they go to the system's log.
    kept = "2>&1 > /dev/null | logger -t awstoe"
    return f"( cd {folder} && {words} ) {kept} {_mark(command.name)}"


def _is_too_much_for_cron(command: StartupCommand) -> bool:
    text = _shell_command(command).replace("%", "\\%")
    return "\n" in text or len(os.fsencode(text)) > _CRON_BYTES


def _mark(name: str) -> str:
    return f"# awstoe run {name}"


def _is_ours(line: str, name: str) -> bool:
    return line.startswith("@reboot ") and line.endswith(_mark(name))


def _crontab(programs: SystemCommands) -> list[str]:
    ended = programs.run("crontab", "-l")
    if ended.exit_code and not _NO_CRONTAB.search(ended.stderr):
        output = ended.stderr.decode(errors="replace").strip()
        raise HostError(f"crontab -l ended with exit code {ended.exit_code}: {output}")
    if ended.exit_code:
        return []
    # Only line feeds end a line in a crontab, unlike in str.splitlines.
    text = ended.stdout.decode(errors="surrogateescape").removesuffix("\n")
    return text.split("\n") if text else []


def _write_crontab(lines: list[str], programs: SystemCommands) -> None:
    folder = temporary.make_folder()
    try:
        path = os.path.join(folder, "crontab")
        text = "".join(f"{line}\n" for line in lines)
        replace_file(path, [text.encode(errors="surrogateescape")])
        programs.run_checked("crontab", path)
    finally:
        temporary.remove_folder(folder)


# --- systemd ----------------------------------------------------------------------------------
def _unit_path(name: str) -> str:
    return os.path.join(_UNIT_FOLDER, f"awstoe-{name}.service")


def unit_text(command: StartupCommand) -> bytes:
    """Return the unit that runs the command once, when the system is up.

    ``After=multi-user.target`` keeps that target from waiting for the unit. Debian's cloud-final
    waits for the target, and systemd drops a unit from such a circle.

    Raises:
        HostError: The folder or an argument cannot be written in a unit.
    """
    variables = "".join(
        f"Environment={_quoted(f'{name}={value}', dollar='$')}\n"
        for name, value in command.environment.items()
    )
    words = " ".join(_quoted(word, dollar="$$") for word in command.argv)
    folder = command.folder.replace("%", "%%")
    text = (
        f"[Unit]\nDescription=awstoe run {command.name} resumes\n"
        "Wants=network-online.target\n"
        "After=multi-user.target network-online.target cloud-final.service\n\n"
        f"[Service]\nType=oneshot\nTimeoutStartSec=infinity\nKillMode=process\n"
        f"WorkingDirectory={folder}\n{variables}ExecStart={words}\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    try:
        if "\n" not in folder:
            return text.encode()
    except UnicodeEncodeError:
        pass
    raise HostError(
        "the run cannot resume after a reboot: systemd supports only UTF-8, and no line breaks in"
        " the name of a folder",
        hint="run awstoe in another folder, and pass the parameters in a configuration file",
    )


def _quoted(word: str, *, dollar: str) -> str:
    """Quote a word for systemd, which has escapes, specifiers and, in commands, variables."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped.replace("%", "%%").replace("$", dollar)}"'
