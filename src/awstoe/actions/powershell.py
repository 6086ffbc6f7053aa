"""How PowerShell is started for a script file, and how its texts are quoted. Not an action."""

from typing import Final

from awstoe.actions.contract import Command

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Windows PowerShell reads a script in the machine's code page, not as UTF-8."""

_OPTIONS: Final = (
    *("-NoLogo", "-NoProfile", "-NonInteractive"),
    *("-ExecutionPolicy", "Bypass", "-File"),
)
_QUOTES: Final = "'\u2018\u2019\u201a\u201b"
"""PowerShell takes typographic quotes for quotes as well."""


def command(path: str) -> Command:
    """What runs the script at ``path``."""
    return Command(("powershell.exe", *_OPTIONS, path), logged_as="powershell.exe")


def quoted(text: str) -> str:
    """A text as PowerShell reads it literally."""
    for quote in _QUOTES:
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
