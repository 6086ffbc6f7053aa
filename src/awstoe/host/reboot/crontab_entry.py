r"""Writes a line for root's crontab as text; usable on every platform.

A line is read twice: by cron, which gives the rest of it to ``/bin/sh``. The crons differ in what a
backslash means: Debian's drops it before ``%`` and before another one, older ones and cronie only
before ``%``, cronie then counts backslashes in pairs, and some do not know ``%`` at all. So

- ``%`` is written as ``\%`` outside of quotes, where it is the same to a shell,
- the character after any other backslash is a quote: no cron changes those two.
"""

import re
from typing import Final

from awstoe.errors import HostError
from awstoe.host.reboot.startup_command import StartupCommand

_BYTES: Final = 998
"""Longest command; Debian's crontab rejects longer ones."""
_SHOWN: Final = {b"\r": b"\\r", b"\b": b"\\b"}
_HEADER_LINES: Final = 3
_PREFIX: Final = "@reboot "


def cron_line(command: StartupCommand) -> str:
    """Return the line that runs a command at the next startup.

    Raises:
        HostError: The command has a line break, which no line of a crontab can have.
    """
    text = _shell_command(command)
    if "\n" in text:
        raise HostError(
            "the run cannot resume after a reboot: cron does not support line breaks in a command",
            hint="pass the parameters in a configuration file",
        )
    return _PREFIX + text


def is_too_much(command: StartupCommand) -> bool:
    """Whether some cron does not accept the command."""
    text = _shell_command(command)
    return "\n" in text or len(text.encode(errors="surrogateescape")) > _BYTES


def is_of(text: str, name: str) -> bool:
    """Whether a line of a crontab is one that ``cron_line`` wrote for the command ``name``."""
    return text.startswith(_PREFIX) and text.endswith(_mark(name))


def added(lines: list[str], entry: str) -> list[str]:
    """Return the lines of a crontab with one more.

    It is the last line, unless a line sets another shell for those after it.
    """
    for position, text in enumerate(lines):
        name, equals, _ = text.partition("=")
        if equals and name.strip(" \t\"'") == "SHELL":
            return [*lines[:position], entry, *lines[position:]]
    return [*lines, entry]


def could_be_escaped(listing: bytes) -> bool:
    r"""Whether ``crontab -l`` may have replaced characters: Debian's prints CR as ``\\r``."""
    return any(shown in listing for shown in _SHOWN.values())


def listed_part(saved: bytes, listing: bytes) -> bytes | None:
    """Return the part of a saved crontab that ``crontab -l`` has listed.

    It leaves out comments at the start, which ``crontab`` adds.

    Args:
        saved: The file of cron.
        listing: What ``crontab -l`` printed.

    Returns:
        The part as it is saved, or None if the listing is not from this file.
    """
    lines = re.findall(rb"[^\n]*\n|[^\n]+", saved)
    for left_out in range(_HEADER_LINES + 1):
        if not all(line.startswith(b"#") for line in lines[:left_out]):
            break
        part = b"".join(lines[left_out:])
        if listing in (part, _as_listed(part)):
            return part
    return None


def _as_listed(text: bytes) -> bytes:
    for sign, shown in _SHOWN.items():
        text = text.replace(sign, shown)
    return text


def _shell_command(command: StartupCommand) -> str:
    variables = [f"{name}={value}" for name, value in command.environment.items()]
    program = list(command.argv)
    if "=" in program[0]:  # env would take it for a variable
        program = ["sh", "-c", 'exec "$0" "$@"', *program]
    words = " ".join(map(_word, ["env", *variables, *program]))
    # The log folder lacks the errors that keep a run from resuming: they go to the system's log.
    kept = "2>&1 > /dev/null | logger -t awstoe"
    return f"( cd {_word(command.folder)} && {words} ) {kept} {_mark(command.name)}"


def _word(text: str) -> str:
    import shlex  # noqa: PLC0415 - only a reboot needs it

    quoted = shlex.quote(text)
    if quoted == text:
        return text.replace("%", "\\%")
    return quoted.replace("\\", "\\''").replace("%", "'\\%'")


def _mark(name: str) -> str:
    return f"# awstoe run {name}"
