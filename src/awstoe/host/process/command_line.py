"""Builds the command line that a Windows program gets instead of a list of arguments.

Pure text, usable on every platform. Programs split it by the rules of the Microsoft C library
(``CommandLineToArgvW``), so ``of_program`` quotes for these rules. Batch files are different: the
system passes them to ``cmd.exe``, which by its own rules may run what follows a quote as a command.
``of_batch_file`` therefore names ``cmd.exe`` itself and quotes for both.
"""

import re
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 32_766
"""Characters that the system accepts."""
LONGEST_OF_BATCH_FILE: Final = 8191
"""Characters that cmd.exe accepts."""

_BACKSLASHES_BEFORE_QUOTE: Final = re.compile(r'(\\*)"')
_BACKSLASHES_AT_END: Final = re.compile(r"(\\+)\Z")
_EMPTY_VARIABLE: Final = "%%cd:~,%"
"""What cmd.exe turns into one percent sign: a sign, and zero characters of the variable CD."""


class Verbatim(str):
    """Text that goes into the command line unquoted, for programs with rules of their own."""

    __slots__ = ()


def of_program(argv: Sequence[str]) -> str:
    """Return the command line that a program splits into ``argv``.

    Raises:
        ValueError: It contains a null character, or the program's name a quote.
    """
    program, *arguments = argv
    _refuse(argv, "\0")
    if '"' in program:
        raise ValueError("a quote in the name of a program")
    # The first word follows simpler rules: a backslash escapes nothing there.
    first = f'"{program}"' if not program or re.search(r"\s", program) else program
    return " ".join([first, *map(_quoted, arguments)])


def _quoted(argument: str) -> str:
    if isinstance(argument, Verbatim):
        return argument
    if argument and not re.search(r'[\s"]', argument):
        return argument
    return in_quotes(argument)


def in_quotes(text: str) -> str:
    """Return what programs read as ``text``, in quotes; it may be a part of an argument."""
    escaped = _BACKSLASHES_BEFORE_QUOTE.sub(r'\1\1\\"', text)
    return '"' + _BACKSLASHES_AT_END.sub(r"\1\1", escaped) + '"'


def of_batch_file(interpreter: str, script: str, arguments: Sequence[str]) -> str:
    r"""Return the command line that makes ``interpreter`` run the batch file ``script``.

    Every argument is quoted, a quote in it is doubled (a batch file sees both), and no part of it
    is read as a variable.

    Args:
        interpreter: The path of ``cmd.exe``.
        script: A path.
        arguments: They become ``%1`` and so on; ``%~1`` is the first without its quotes.

    Raises:
        ValueError: cmd.exe cannot express it: a line break, a null character, a quote in the
            script's path.
    """
    _refuse([script, *arguments], "\0\r\n")
    if '"' in script or script.endswith("\\"):
        raise ValueError("a quote in the name of a batch file, or a backslash at its end")
    words = [script, *(_BACKSLASHES_AT_END.sub(r"\1\1", each) for each in arguments)]
    inner = " ".join('"{}"'.format(each.replace('"', '""')) for each in words)
    # Extensions on, as the escape needs them; no delayed expansion of !NAME!; no AutoRun.
    return f'"{interpreter}" /e:on /v:off /d /c "{inner.replace("%", _EMPTY_VARIABLE)}"'


def _refuse(texts: Sequence[str], characters: str) -> None:
    for text in texts:
        invalid = next((each for each in characters if each in text), None)
        if invalid is not None:
            raise ValueError(f"the character {invalid!a} in {text!r}")
