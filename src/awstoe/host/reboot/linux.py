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
_SAVED: Final = (
    "/var/spool/cron/crontabs/root",  # Debian
    "/var/spool/cron/root",  # Red Hat, Amazon Linux
    "/var/spool/cron/tabs/root",  # SUSE
)
_UNIT_FOLDER: Final = "/etc/systemd/system"
_ENDED_BY_THE_REBOOT: Final = 128 + signal.SIGTERM
"""The exit code of the reboot command if the system goes down before it has ended."""


class _UnclearCrontab(HostError):
    """A crontab cannot be rewritten, as its content is not known exactly."""


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
    from awstoe.host.reboot import crontab_entry, systemd_unit  # noqa: PLC0415 - only a reboot needs it

    systemd = _exists("systemctl")
    if _exists("crontab") and not (systemd and crontab_entry.is_too_much(command)):
        entry = crontab_entry.cron_line(command)
        try:
            lines = _lines(_unescaped(_listing(programs)))
        except _UnclearCrontab:
            if not systemd:
                raise
        else:
            lines = [line for line in lines if not crontab_entry.is_of(line, command.name)]
            _write_crontab(crontab_entry.added(lines, entry), programs)
            return
    if not systemd:
        raise HostError(
            "the run cannot resume after a reboot: there is neither crontab nor systemctl",
            hint="install cron, or set AWSTOE_REBOOT=exit and reboot the machine yourself",
        )
    path = _unit_path(command.name)
    replace_file(path, [systemd_unit.unit_text(command)])
    try:
        programs.run_checked("systemctl", "daemon-reload")
        programs.run_checked("systemctl", "enable", os.path.basename(path))
    except HostError:  # as in a container where systemd does not run
        programs.run("systemctl", "disable", os.path.basename(path))
        _unlink(path)
        raise


def remove(name: str, programs: SystemCommands) -> None:
    """Remove a registered command, as ``rebooting.remove`` does."""
    from awstoe.host.reboot import crontab_entry  # noqa: PLC0415 - only a reboot needs it

    path = _unit_path(name)
    if os.path.exists(path):
        programs.run_checked("systemctl", "disable", os.path.basename(path))
        _unlink(path)
        programs.run_checked("systemctl", "daemon-reload")
    if _exists("crontab"):
        listing = _listing(programs)
        if not _has_entry(listing, name):
            return  # It may be a crontab that cannot be changed: it has no entry for this reason.
        lines = _lines(_unescaped(listing))
        _write_crontab([line for line in lines if not crontab_entry.is_of(line, name)], programs)


def _exists(program: str) -> bool:
    return system_programs.find(program, environment.of_this_run()) is not None


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as error:
        raise explain(error, f"remove {path}") from error


def _listing(programs: SystemCommands) -> bytes:
    """Return what ``crontab -l`` prints; nothing if there is no crontab.

    Raises:
        HostError: It fails for another reason.
    """
    ended = programs.run("crontab", "-l")
    if ended.exit_code and not _NO_CRONTAB.search(ended.stderr):
        output = ended.stderr.decode(errors="replace").strip()
        raise HostError(f"crontab -l ended with exit code {ended.exit_code}: {output}")
    return b"" if ended.exit_code else ended.stdout


def _lines(crontab: bytes) -> list[str]:
    # Only line feeds end a line in a crontab, unlike in str.splitlines.
    text = crontab.decode(errors="surrogateescape").removesuffix("\n")
    return text.split("\n") if text else []


def _has_entry(listing: bytes, name: str) -> bool:
    from awstoe.host.reboot import crontab_entry  # noqa: PLC0415 - only a reboot needs it

    return any(crontab_entry.is_of(line, name) for line in _lines(listing))


def _unescaped(listing: bytes) -> bytes:
    """Return the crontab of which ``listing`` may have other characters.

    Raises:
        _UnclearCrontab: It cannot be found out what the crontab has.
    """
    from awstoe.host.reboot import crontab_entry  # noqa: PLC0415 - only a reboot needs it

    if not crontab_entry.could_be_escaped(listing):
        return listing
    for path in _SAVED:
        try:
            with open(path, "rb") as file:
                part = crontab_entry.listed_part(file.read(), listing)
        except OSError:
            continue
        if part is not None:
            return part
    raise _UnclearCrontab(
        "root's crontab cannot be changed: 'crontab -l' shows '\\r' or '\\b', which may be control"
        " characters",
        hint="remove these from the crontab: crontab -e",
    )


def _write_crontab(lines: list[str], programs: SystemCommands) -> None:
    folder = temporary.make_folder()
    try:
        path = os.path.join(folder, "crontab")
        text = "".join(f"{line}\n" for line in lines)
        replace_file(path, [text.encode(errors="surrogateescape")])
        programs.run_checked("crontab", path)
    finally:
        temporary.remove_folder(folder)


def _unit_path(name: str) -> str:
    from awstoe.host.reboot import systemd_unit  # noqa: PLC0415 - only a reboot needs it

    return os.path.join(_UNIT_FOLDER, systemd_unit.unit_name(name))
