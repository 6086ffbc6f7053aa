"""Linux: rebooting, and a command after it: an ``@reboot`` line in root's crontab, or a unit.

The crontab is what the user guide of AWSTOE names. Where there is none, systemd gets a unit that
runs once.
"""

import os
import re
import signal
import sys
from typing import Final

from awstoe.errors import HostError
from awstoe.host.files import temporary
from awstoe.host.files.own_files import explain, replace_file
from awstoe.host.reboot.startup_command import StartupCommand, SystemCommands

assert sys.platform == "linux"

_NO_CRONTAB: Final = re.compile(rb"no crontab for|No such file", re.IGNORECASE)
_CRON_BYTES: Final = 998
"""Of a command. Debian's crontab refuses a longer one."""
_UNIT_FOLDER: Final = "/etc/systemd/system"
_ENDED_BY_THE_REBOOT: Final = 128 + signal.SIGTERM
"""How the program that asked for the reboot ends when the system goes down before it answers."""


def boot_id() -> str:
    """Tells this start of the machine from the next one; empty where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def restart_command() -> tuple[str, ...]:
    """What reboots the machine now."""
    for command in (("shutdown", "-r", "now"), ("systemctl", "reboot")):
        if _is_there(command[0]):
            return command
    return ("reboot",)


def restart(programs: SystemCommands) -> str:
    """See ``reboot.restart``."""
    programs.run_checked(*restart_command(), good=(0, _ENDED_BY_THE_REBOOT))
    return ""


def install(command: StartupCommand, programs: SystemCommands) -> None:
    """See ``reboot.install``."""
    systemd = _is_there("systemctl")
    if _is_there("crontab") and not (systemd and _is_too_much_for_cron(command)):
        lines = [line for line in _crontab(programs) if not _is_ours(line, command.name)]
        _write_crontab([*lines, cron_line(command)], programs)
    elif systemd:
        path = _unit_path(command.name)
        replace_file(path, [unit_text(command)])
        programs.run_checked("systemctl", "daemon-reload")
        programs.run_checked("systemctl", "enable", os.path.basename(path))
    else:
        raise HostError(
            "the run cannot go on after a reboot: there is neither crontab nor systemctl",
            hint="install cron, or set AWSTOE_REBOOT=exit and see to the reboot yourself",
        )


def remove(name: str, programs: SystemCommands) -> None:
    """See ``reboot.remove``."""
    if _is_there("crontab"):
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


def _is_there(program: str) -> bool:
    import shutil  # noqa: PLC0415 - few runs reboot

    return shutil.which(program) is not None


# --- cron -------------------------------------------------------------------------------------
def cron_line(command: StartupCommand) -> str:
    """The line of the crontab.

    Raises:
        HostError: An argument cannot stand in a crontab.
    """
    text = _shell_command(command)
    if "\n" in text:
        raise HostError(
            "the run cannot go on after a reboot: cron takes no command with a line end in it",
            hint="give the parameters in a configuration file",
        )
    # cron makes line ends of percent signs, whatever the quotes.
    return f"@reboot {text}".replace("%", "\\%")


def _shell_command(command: StartupCommand) -> str:
    import shlex  # noqa: PLC0415 - few runs reboot

    variables = [f"{name}={value}" for name, value in command.environment.items()]
    words = shlex.join(["env", *variables, *command.argv])
    folder = shlex.quote(command.folder)
    # The log folder has all but what keeps a run from going on: that goes to the system's log.
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
        said = ended.stderr.decode(errors="replace").strip()
        raise HostError(f"crontab -l ended with exit code {ended.exit_code}: {said}")
    if ended.exit_code:
        return []
    # Line ends alone: other signs that end a line elsewhere are a part of one here.
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
    """The unit that runs the command once, when the system is up.

    It says itself that it comes after ``multi-user.target``, which would wait for it otherwise: on
    Debian cloud-final waits for that, and systemd leaves a unit of such a circle out.

    Raises:
        HostError: The folder or an argument cannot stand in a unit.
    """
    variables = "".join(
        f"Environment={_quoted(f'{name}={value}', dollar='$')}\n"
        for name, value in command.environment.items()
    )
    words = " ".join(_quoted(word, dollar="$$") for word in command.argv)
    folder = command.folder.replace("%", "%%")
    text = (
        f"[Unit]\nDescription=awstoe run {command.name} goes on\n"
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
        "the run cannot go on after a reboot: systemd takes no folder with a line end in its name,"
        " and nothing that is not UTF-8",
        hint="run awstoe in another folder, and give the parameters in a configuration file",
    )


def _quoted(word: str, *, dollar: str) -> str:
    """A word as systemd reads it: it has escapes, specifiers and, in commands, variables."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped.replace("%", "%%").replace("$", dollar)}"'
