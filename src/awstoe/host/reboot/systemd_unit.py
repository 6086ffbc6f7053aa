r"""Writes a unit for systemd as text; usable on every platform.

Only the words of a command and of ``Environment=`` can be quoted, and have escapes for every byte.
The program must not have ``$``, quotes, backslashes or control characters, the working folder has
no quoting at all, and a variable has few control characters; all three must be UTF-8. If one of
them is not such text, a shell gets all three as arguments.
"""

import hashlib
import re
from typing import Final

from awstoe.errors import HostError
from awstoe.host.reboot.startup_command import StartupCommand

_LINE_BYTES: Final = 1_000_000
"""systemd does not load a unit with a line of 1 MiB."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_PLAIN_PROGRAM: Final = re.compile(r"/[^$\"'\\]*[^$\"'\\/]")
_PLAIN_FOLDER: Final = re.compile(r"/(?:[^\"'\\]*[^\"'\\\s])?")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "%": "%%", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def unit_name(name: str) -> str:
    """Return the name of the unit of the command ``name``; systemd accepts ASCII only."""
    if not _NAME.fullmatch(name):
        kept = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:100]
        name = f"{kept}-{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:16]}"
    return f"awstoe-{name}.service"


def unit_text(command: StartupCommand) -> bytes:
    """Return the unit that runs the command once, when the system is up.

    ``After=multi-user.target`` keeps that target from waiting for the unit. Debian's cloud-final
    waits for the target, and systemd drops a unit from such a circle.

    Raises:
        HostError: It is too long for systemd.
    """
    variables = [f"{name}={value}" for name, value in command.environment.items()]
    words = list(command.argv)
    settings: list[str] = []
    if (
        _is_plain(words[0], _PLAIN_PROGRAM)
        and _is_plain(command.folder, _PLAIN_FOLDER)
        and all(map(_is_plain, variables))
    ):
        settings.append(f"WorkingDirectory={command.folder.replace('%', '%%')}")
        settings += [f"Environment={_quoted(variable, dollar='$')}" for variable in variables]
    else:
        exports = 'export "$1" && shift && ' * len(variables)
        script = f'cd "$1" && shift && {exports}exec "$@"'
        words = ["/bin/sh", "-c", script, "sh", command.folder, *variables, *words]
    program = _quoted(words[0], dollar="$")
    arguments = "".join(f" {_quoted(word, dollar='$$')}" for word in words[1:])
    lines = [
        *("[Unit]", f"Description=awstoe run {command.name} resumes"),
        "Wants=network-online.target",
        "After=multi-user.target network-online.target cloud-final.service",
        "",
        *("[Service]", "Type=oneshot", "TimeoutStartSec=infinity", "KillMode=process"),
        *settings,
        f"ExecStart={program}{arguments}",
        "",
        *("[Install]", "WantedBy=multi-user.target"),
    ]
    if any(len(line) > _LINE_BYTES for line in lines):
        raise HostError(
            "the run cannot resume after a reboot: its command is too long for systemd",
            hint="pass the parameters in a configuration file",
        )
    return "".join(f"{line}\n" for line in lines).encode()


def _is_plain(text: str, pattern: "re.Pattern[str]" = re.compile(".*")) -> bool:
    """Whether systemd accepts a text as it is, without escapes for bytes."""
    return text.isprintable() and bool(pattern.fullmatch(text))


def _quoted(word: str, *, dollar: str) -> str:
    """Quote a word for systemd, which has escapes, specifiers and, in arguments, variables."""
    escapes = {**_ESCAPES, "$": dollar}
    return f'"{"".join(escapes.get(sign) or _visible(sign) for sign in word)}"'


def _visible(sign: str) -> str:
    if sign.isprintable():
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode(errors="surrogateescape"))
