"""Finds text in bash commands that belongs to another language, and fails or vanishes in bash."""

import re
from typing import Final

from awstoe.document.scalars import shell_text
from awstoe.document.scalars.braces import PSEUDO_PARAMETERS
from awstoe.document.scalars.finding import Finding
from awstoe.document.syntax.nodes import Scalar
from awstoe.expressions.values import quoted
from awstoe.late_patterns import pattern

_VERBS: Final = (
    "Add Clear ConvertTo Copy Disable Enable Expand Get Import Install Invoke Move New Out Remove"
    " Rename Restart Select Set Start Stop Test Write"
)
_FOREIGN: Final = pattern(
    rf"(?m)(?:^[ \t]*(?P<cmdlet>(?:{_VERBS.replace(' ', '|')})-[A-Z][a-z]\w+)(?=\s|$)"
    r"|(?<!\\)(?P<dotted>\$\{[A-Za-z_]\w*(?:\.[A-Za-z_][\w-]*)+\})"
    r"|(?<!\\)(?P<pseudo>\$\{AWS::\w+\})"
    r"|(?<!\\)\$env:(?P<variable>[A-Z]\w+))"
)
_MAYBE: Final = pattern(r"[$-](?:[A-Z][a-z]|env:|\{\w+(?:\.[A-Za-z_]|::))")
"""Without a match, nothing of ``_FOREIGN`` is in a text; quick to look for."""
_POWERSHELL: Final = pattern(r"\b(?:pwsh|powershell)\b")


def finding(node: Scalar, raw: str) -> Finding | None:
    """Return the first text of another language in a command, or None.

    Args:
        node: The command.
        raw: The command as in the document's text.
    """
    text = node.text
    if not _MAYBE.search(text):
        return None
    parts = shell_text.split(text)
    for start, end in sorted((*parts.bare, *parts.double_quoted)):
        for found in _FOREIGN.finditer(text, start, end):
            if described := _described(found, text):
                shown = found[0].strip()
                place = raw.find(shown)
                offset = node.start + place if place >= 0 else None
                return Finding("not-bash", *described, offset)
    return None


def _described(found: "re.Match[str]", text: str) -> tuple[str, str] | None:
    """Return the message and the hint; None if the text may be right."""
    if cmdlet := found["cmdlet"]:
        if _POWERSHELL.search(text):
            return None
        return (
            f"{quoted(cmdlet)} is a command of PowerShell, and bash does not have it",
            "use the action ExecutePowerShell, which runs on Windows",
        )
    if dotted := found["dotted"]:
        name = dotted[2:-1].rpartition(".")[2]
        return (
            f"bash cannot replace {quoted(dotted)}: its variables have no dots in their names",
            f"declare a parameter, and write a reference to it, such as '{{{{ {name} }}}}'",
        )
    if pseudo := found["pseudo"]:
        form = PSEUDO_PARAMETERS.get(pseudo[2:-1])
        return (
            f"{quoted(pseudo)} is empty in bash: CloudFormation has not replaced it",
            f"write '{{{{ {form} }}}}'"
            if form
            else "declare a parameter, and write a reference to it, such as '{{ NAME }}'",
        )
    variable = found["variable"]
    if re.search(r"\benv=", text):
        return None
    return (
        f"'$env:{variable}' is PowerShell: bash replaces only '$env', and keeps ':{variable}'",
        f"write '${{{variable}}}'",
    )
