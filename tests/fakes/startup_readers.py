r"""How crons and systemd read what awstoe writes, as models; tests compare them with the real ones.

The crons differ in backslashes. In Debian's, ``\%`` is ``%`` and ``\\`` is ``\``. In cronie, only
``\%`` changes, and backslashes count in pairs; in the oldest, each counts.
"""

import re
from collections.abc import Callable
from typing import Final

Reader = Callable[[bytes], bytes]


def debian(line: bytes) -> bytes:
    """Return the command that Debian's cron gives to the shell: up to the first free ``%``."""
    return _in_pairs(line, b"%\\")


def cronie(line: bytes) -> bytes:
    return _in_pairs(line, b"%")


def _in_pairs(line: bytes, dropped_before: bytes) -> bytes:
    out = bytearray()
    signs = iter(_command(line))
    for sign in signs:
        if sign == ord("%"):
            break
        out.append(sign)
        if sign == ord("\\") and (following := next(signs, None)) is not None:
            if following in dropped_before:
                out.pop()
            out.append(following)
    return bytes(out)


def oldest(line: bytes) -> bytes:
    escaped = re.sub(rb"\\%", b"\0", _command(line))
    return escaped.partition(b"%")[0].replace(b"\0", b"%")


def without_percent(line: bytes) -> bytes:
    """Return the command of a cron that does not know ``%``, as that of BusyBox."""
    return _command(line)


def _command(line: bytes) -> bytes:
    assert line.startswith(b"@reboot ")
    assert b"\n" not in line
    return line.removeprefix(b"@reboot ")


CRONS: Final[dict[str, Reader]] = {
    "Debian's cron": debian,
    "the oldest cron": oldest,
    "cronie": cronie,
    "a cron without percent signs": without_percent,
}

_LETTERS: Final = {
    "a": b"\a",
    "b": b"\b",
    "f": b"\f",
    "n": b"\n",
    "r": b"\r",
    "t": b"\t",
    "v": b"\v",
    "s": b" ",
    "\\": b"\\",
    '"': b'"',
    "'": b"'",
}


def settings(unit: bytes) -> dict[str, list[str]]:
    """Return the settings of a unit by name, read as systemd reads lines."""
    text = unit.decode()  # systemd skips lines that are not UTF-8
    found: dict[str, list[str]] = {}
    for line in re.split(r"[\n\r\0]", text):
        if not line.strip() or line.startswith("["):
            continue
        assert not line.endswith("\\"), "the next line would belong to this one"
        name, equals, value = line.partition("=")
        assert equals, f"not a setting: {line!r}"
        assert name.isalpha(), f"not the name of a setting: {line!r}"
        found.setdefault(name, []).append(value.strip(" \t"))
    return found


def words(value: str) -> list[bytes]:
    """Return the words of a command or of ``Environment=``, without quotes and escapes."""
    found = []
    for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"(?: |$)', value):
        word = b""
        for escape, code, letter, plain in re.findall(r"(\\)(?:x(..)|(.))|([^\\]+)", quoted):
            if not escape:
                assert not re.search("[\0-\x1f\x7f]", plain)
                word += plain.encode()
            else:
                word += bytes.fromhex(code) if code else _LETTERS[letter]
        assert b"\0" not in word
        assert not re.search(rb"(?<!%)(?:%%)*%(?!%)", word), "a specifier"
        found.append(word.replace(b"%%", b"%"))
    return found


def without_variables(word: bytes) -> bytes:
    """Return a word of a command after variables have been replaced; there must not be one."""
    assert not re.search(rb"(?<!\$)(?:\$\$)*\$(?!\$)", word), "a variable"
    return word.replace(b"$$", b"$")
