"""Starts PowerShell for a script file, and quotes texts for it; not an action."""

from typing import Final

from awstoe.actions.contract import Command

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Windows PowerShell reads a script in the machine's code page, not as UTF-8."""

_OPTIONS: Final = (
    *("-NoLogo", "-NoProfile", "-NonInteractive"),
    *("-ExecutionPolicy", "Bypass", "-File"),
)
_QUOTES: Final = "'\u2018\u2019\u201a\u201b"
"""PowerShell treats typographic quotes as quotes too."""


def command(path: str) -> Command:
    """Return the command that runs the script at ``path``."""
    return Command(("powershell.exe", *_OPTIONS, path), logged_as="powershell.exe")


def quoted(text: str) -> str:
    """Quote a text so that PowerShell reads it literally."""
    for quote in _QUOTES:
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
