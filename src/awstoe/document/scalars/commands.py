"""Finds commands that YAML or a word processor has changed.

A command is right for most of the ways to write it in YAML. Each check therefore asks whether the
shell would get something else than the author sees, and says nothing if the result is the same: a
long command that is folded between its options stays what it is.
"""

import re
from collections.abc import Iterator
from typing import Final

from awstoe.actions.fields import Language
from awstoe.document.scalars import foreign_shell, shell_text
from awstoe.document.scalars.finding import Finding
from awstoe.document.syntax.nodes import Scalar
from awstoe.expressions.values import quoted
from awstoe.late_patterns import pattern

_BLOCK: Final = "use a '|' block, which keeps line breaks: '- |', then the lines, indented below it"
_LONGEST_NUMBER: Final = 30
_NUMBER: Final = pattern(r"[-+]?(?:[0-9][0-9_.:-]*|\.[0-9]+|0x[0-9A-Fa-f]+|0o[0-7]+)")
_BOOLEAN: Final = pattern("True|TRUE|False|FALSE|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]")
_TYPED: Final = pattern("[\u00a0\u200b\u202f\u2060\u3000\ufeff\u2018-\u201f\u2013\u2014\u2212]")
_SPACES: Final = "\u00a0\u202f\u3000"
_INVISIBLE: Final = "\u200b\u2060\ufeff"
_QUOTE: Final = pattern("(?:^|[\\s=(\\[{:,])([\u2018-\u201f])")
_DASH: Final = pattern("(?:^|\\s)([\u2013\u2014\u2212]{1,2})[A-Za-z]")

# What a line can start with when it is a command of its own: words of the shell, and programs.
WORDS: Final = frozenset(
    (  # noqa: SIM905 - a list of quoted words is not easier to read
        "[ [[ . alias break case cd continue declare do done echo elif else esac eval exit export"
        " fi for function if local popd printf pushd pwd read readonly return set shift source"
        " test then trap true type ulimit umask unset until wait while"
    ).split()
)
PROGRAMS: Final = frozenset(
    (  # noqa: SIM905 - as above
        "amazon-linux-extras apt apt-get aws cat chgrp chmod chown cp curl dnf docker git"
        " grep groupadd gunzip gzip ln ls mkdir mktemp mount mv npm pip pip3 python"
        " python3 rm rpm sed service sleep snap ssh sudo systemctl tar tee touch umount unzip"
        " useradd usermod wget yum zypper"
    ).split()
)
_LISTS: Final = frozenset(
    ("install", "remove", "add", "erase", "update", "upgrade", "enable", "disable", "for", "in")
)
"""Words after which names of programs are arguments."""
_RUNNERS: Final = frozenset(
    ("chroot", "docker", "env", "find", "kubectl", "nohup", "podman", "ssh", "timeout", "xargs")
)
"""Programs whose arguments are a command."""
# Words after which another command may start on the same line.
_GOES_ON: Final = frozenset(
    ("do", "then", "else", "elif", "if", "while", "until", "time", "sudo", "exec", "nohup", "env")
)
_ENDS: Final = frozenset(("fi", "done", "esac", "}"))
_OPERATORS: Final = (";", "&", "|", "(", "{", ",", "!")
_CONTINUATIONS: Final = (*_OPERATORS, "-", ")", "}", "<", ">", "2>")
_LINES: Final = 100
"""Lines of a folded command that are checked."""
_SEPARATOR: Final = pattern(r"&&|\|\||[;|&]")
_ASSIGNMENT: Final = pattern(r"[A-Za-z_]\w*=\S*")
CMDLET: Final = pattern(r"[A-Z][A-Za-z]+-[A-Z][A-Za-z]+\b|\$\w+\s*=|(?:if|foreach|while)\s*\(")
_PYTHON: Final = pattern(r"\bpython[0-9.]*\s+-c\b")


def findings(
    node: Scalar, raw: str, rest: str, language: Language, *, is_text: bool
) -> Iterator[Finding]:
    """Yield what is suspicious about one command.

    Args:
        node: The command.
        raw: The command as in the document's text.
        rest: The text that follows it on its last line.
        language: Its language.
        is_text: Whether it is a part of a here-document, and not a command.
    """
    if node.plain and not is_text and (found := _value(node.text, language)):
        yield found
    if node.style != "|" and "\n" in raw.rstrip():
        yield from _folded(node, raw, language)
    if not node.style and (found := _cut(node, rest, language)):
        yield found
    if language is Language.BASH and not is_text and (found := foreign_shell.finding(node, raw)):
        yield found
    if language is Language.BASH and not is_text and not node.text.isascii():
        yield from _typed(node, raw)


def _value(text: str, language: Language) -> Finding | None:
    if len(text) > _LONGEST_NUMBER:
        return None
    if language is Language.BASH and _NUMBER.fullmatch(text):
        kind = "a number"
    elif _BOOLEAN.fullmatch(text) and not (language is Language.BASH and text == "yes"):
        kind = "a boolean"
    else:
        return None
    return Finding(
        "not-a-command",
        f"{quoted(text)} is {kind}, and would run as a program with that name",
        "write a command here; quote the text if there is such a program",
    )


def _folded(node: Scalar, raw: str, language: Language) -> Iterator[Finding]:
    """Report the first line break that YAML replaced with a space although it had a meaning."""
    lines = raw.splitlines(keepends=True)
    offset = node.start
    depth = None
    earlier = joined = ""
    for number, line in enumerate(lines[:_LINES]):
        text = line.strip()
        indentation = len(line) - len(line.lstrip())
        if node.style == ">" and number and text:
            depth = indentation if depth is None else depth
            if indentation > depth:  # YAML keeps the breaks around it
                text = ""
        elif node.style == ">":
            text = ""
        if number == 0 and node.style in ("'", '"'):
            text = text[1:]
        escaped = node.style == '"' and earlier.endswith("\\")
        if earlier and text and not escaped and _breaks(joined, earlier, text, language):
            yield Finding(
                "folded-command",
                "YAML joins this line to the line before it with a space: both become one command",
                _BLOCK,
                offset + indentation,
            )
            return
        joined = f"{joined} {text}" if text else ""
        earlier = text
        offset += len(line)


def _breaks(joined: str, first: str, second: str, language: Language) -> bool:
    """Whether ``first`` and ``second`` on one line mean something else than on two.

    Args:
        joined: All lines before the break, on one line; it ends with ``first``.
        first: The line before the break.
        second: The line after it.
        language: Their language.
    """
    if language is Language.POWERSHELL:
        return first.endswith("`") or (
            not first.endswith(_OPERATORS) and CMDLET.match(second) is not None
        )
    swallows = first.endswith("\\") or first.startswith("#") or " #" in first
    if swallows or shell_text.open_document(first):
        return True
    is_open = bool(shell_text.split(joined).open_quote)
    if is_open:
        return _PYTHON.search(joined) is not None
    words = _SEPARATOR.split(joined)[-1].split()
    if not words or words[-1] in _GOES_ON or first.endswith(_OPERATORS):
        return False
    return not second.startswith(_CONTINUATIONS) and _is_command(words, second)


def _is_command(words: list[str], second: str) -> bool:
    """Whether ``second`` is a command of its own, and not arguments of the command ``words``."""
    exports = words[0] == "export" and "=" in "".join(words)
    if all(map(_ASSIGNMENT.fullmatch, second.split())):
        return False
    if all(map(_ASSIGNMENT.fullmatch, words)):
        # Before a command, an assignment is for that command only.
        names = (word.partition("=")[0] for word in words)
        return any(f"${name}" in second or f"${{{name}" in second for name in names)
    start = second.split(maxsplit=1)[0]
    sets = words[0] == "set" and words[1:2] != ["--"]
    if words[-1] in _ENDS or words[0] in ("cd", start) or sets or exports:
        return True
    if not _RUNNERS.isdisjoint(words):
        return False
    # A program's name alone, or after an option, may be an argument.
    alone = second == start or words[-1].startswith("-")
    return start in WORDS or (start in PROGRAMS and not alone and _LISTS.isdisjoint(words))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - part of a line


def _cut(node: Scalar, rest: str, language: Language) -> Finding | None:
    """Report a comment that the author meant as a part of the command."""
    comment = rest.strip()
    if not comment.startswith("#"):
        return None
    cut_quote = language is Language.BASH and "'\"" and shell_text.split(node.text).open_quote
    if not cut_quote and not is_glued(comment):
        return None
    whole = f"{node.text} {comment}"
    return Finding(
        "comment-in-command",
        f"the command ends before ' {_short(comment)}': ' #' starts a YAML comment",
        f"write it as a '|' block ('- |', then the line below it), or in quotes: {whole!r}"
        if len(whole) <= 60 and "'" not in whole and "\\" not in whole  # noqa: PLR2004
        else "write it as a '|' block: '- |', then the line, indented below it",
        node.end + len(rest) - len(rest.lstrip()),
    )


def is_glued(comment: str) -> bool:
    """Whether ``comment`` may be a part of the value before it: no space follows its '#'.

    A sentence is a comment that somebody wrote without the space.
    """
    found = re.match(r"#([\w{\"'$/<%!.^])", comment)
    if found is None or re.match("#(?:TODO|FIXME|XXX|NOTE)", comment):
        return False
    return not (found[1].isalpha() and len(comment.split()) > 2)  # noqa: PLR2004 - a sentence


def _typed(node: Scalar, raw: str) -> Iterator[Finding]:
    """Report the first quote, dash or space that bash takes for a letter."""
    if not _TYPED.search(node.text):
        return
    for start, end in shell_text.split(node.text).bare:
        part = node.text[start:end]
        if not _TYPED.search(part):
            continue
        found = None
        if (sign := _QUOTE.search(part)) is not None:
            straight = "'" if sign[1] in "\u2018-\u201b" else '"'
            found = (
                sign[1],
                f"{sign[1]} is a typographic quote, which bash takes for a letter",
                f"replace it with {straight}",
            )
        elif (sign := _DASH.search(part)) is not None:
            found = (
                sign[1],
                f"{sign[1]} is a typographic dash, which starts no option",
                "write - or --",
            )
        elif (space := next((s for s in part if s in _SPACES + _INVISIBLE), "")) != "":
            kind = "an invisible character" if space in _INVISIBLE else "not an ordinary space"
            found = (
                space,
                f"the character U+{ord(space):04X} is {kind}: bash takes it for a letter",
                "replace it with a space, or remove it",
            )
        if found:
            place = raw.find(found[0])
            yield Finding(
                "typographic-character",
                found[1],
                found[2],
                node.start + place if place >= 0 else None,
            )
            return
