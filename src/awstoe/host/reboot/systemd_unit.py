r"""Writes a unit for systemd as text; usable on every platform.

The words of a command can be quoted and have escapes for every byte. The program, the working
folder and variables cannot have every byte: such a command is rejected.
"""

import re
from typing import Final

from awstoe.errors import HostError
from awstoe.host.reboot.startup_command import StartupCommand
from awstoe.late_patterns import pattern

_LINE_BYTES: Final = 1_000_000
"""systemd does not load a unit with a line of 1 MiB."""
_NAME: Final = pattern(r"[A-Za-z0-9_.-]{1,200}")
_PROGRAM: Final = pattern(r"(?:[^$\"'\\]|\$(?![{$]))+")
"""systemd rejects other signs, and replaces variables in what the program sees as its name."""
_FOLDER: Final = pattern(r"/(?:.*[^\\ ])?")
"""A backslash at the end joins lines, and spaces are removed; nothing is quoted."""
_VARIABLE: Final = pattern(r".*")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "%": "%%", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def unit_name(name: str) -> str:
    """Return the name of the unit of the command ``name``; systemd accepts ASCII only."""
    if not _NAME.fullmatch(name):
        import hashlib  # noqa: PLC0415 - slow to import

        kept = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:100]
        name = f"{kept}-{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:16]}"
    return f"awstoe-{name}.service"


def unit_text(command: StartupCommand) -> bytes:
    """Return the unit that runs the command once, when the system is up.

    ``After=multi-user.target`` keeps that target from waiting for the unit. Debian's cloud-final
    waits for the target, and systemd drops a unit from such a circle.

    Raises:
        HostError: systemd cannot have the command.
    """
    program, *arguments = command.argv
    variables = [f"{name}={value}" for name, value in command.environment.items()]
    _check(program, _PROGRAM, "as the path of the program")
    _check(command.folder, _FOLDER, "as the folder")
    for variable in variables:
        _check(variable, _VARIABLE, "in a variable")
    words = [_quoted(program, dollar="$"), *(_quoted(word, dollar="$$") for word in arguments)]
    lines = [
        *("[Unit]", f"Description=awstoe run {command.name} resumes"),
        "Wants=network-online.target",
        "After=multi-user.target network-online.target cloud-final.service",
        "",
        *("[Service]", "Type=oneshot", "TimeoutStartSec=infinity", "KillMode=process"),
        f"WorkingDirectory={command.folder.replace('%', '%%')}",
        *(f"Environment={_quoted(variable, dollar='$')}" for variable in variables),
        f"ExecStart={' '.join(words)}",
        "",
        *("[Install]", "WantedBy=multi-user.target"),
    ]
    if any(len(line) > _LINE_BYTES for line in lines):
        raise HostError(
            "the run cannot resume after a reboot: its command is too long for systemd",
            hint="pass the parameters in a configuration file",
        )
    return "".join(f"{line}\n" for line in lines).encode()


def _check(text: str, pattern: "re.Pattern[str]", where: str) -> None:
    """Reject a text that systemd cannot have.

    Raises:
        HostError: It is such a text.
    """
    if not text.isprintable() or not pattern.fullmatch(text):
        raise HostError(
            "the run cannot resume after a reboot: systemd supports only text without special"
            f" characters {where}, got {text!a}",
            hint="install cron, or use another folder for awstoe and for its working directory",
        )


def _quoted(word: str, *, dollar: str) -> str:
    """Quote a word for systemd, which has escapes, specifiers and, in arguments, variables."""
    escapes = {**_ESCAPES, "$": dollar}
    return f'"{"".join(escapes.get(sign) or _visible(sign) for sign in word)}"'


def _visible(sign: str) -> str:
    """Return a character, or an escape for each byte of what the text of a unit cannot have."""
    if " " <= sign != "\x7f" and not "\ud800" <= sign <= "\udfff":
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode(errors="surrogateescape"))
