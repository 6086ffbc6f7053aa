"""The one text that a Windows program gets instead of a list of arguments; pure, usable anywhere.

Programs cut it up again by the rules of the Microsoft C library (``CommandLineToArgvW``), so
``of_program`` quotes by these. Batch files are the exception: the system hands them to ``cmd.exe``,
whose own rules make a command of what follows an unlucky quote. ``of_batch_file`` therefore names
``cmd.exe`` itself and quotes for both.
"""

import re
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 32_766
"""Characters the system takes."""
LONGEST_OF_BATCH_FILE: Final = 8191
"""Characters that cmd.exe takes."""

_BACKSLASHES_BEFORE_QUOTE: Final = re.compile(r'(\\*)"')
_BACKSLASHES_AT_END: Final = re.compile(r"(\\+)\Z")
_EMPTY_VARIABLE: Final = "%%cd:~,%"
"""What cmd.exe turns into one per cent sign: a sign, and no characters of the variable CD."""


class Verbatim(str):
    """Words that stand in the command line as they are, for programs that cut it up their way."""

    __slots__ = ()


def of_program(argv: Sequence[str]) -> str:
    """The command line that a program cuts up into ``argv``.

    Raises:
        ValueError: There is a null character in it, or a quote in the program's name.
    """
    program, *arguments = argv
    _refuse(argv, "\0")
    if '"' in program:
        raise ValueError("a quote in the name of a program")
    # The first word is cut off by simpler rules: a backslash escapes nothing there.
    first = f'"{program}"' if not program or re.search(r"\s", program) else program
    return " ".join([first, *map(_quoted, arguments)])


def _quoted(argument: str) -> str:
    if isinstance(argument, Verbatim):
        return argument
    if argument and not re.search(r'[\s"]', argument):
        return argument
    escaped = _BACKSLASHES_BEFORE_QUOTE.sub(r'\1\1\\"', argument)
    return '"' + _BACKSLASHES_AT_END.sub(r"\1\1", escaped) + '"'


def of_batch_file(interpreter: str, script: str, arguments: Sequence[str]) -> str:
    r"""The command line that makes ``interpreter`` run the batch file ``script``.

    Every argument is quoted, a quote in it is doubled (a batch file sees both), and nothing in it
    is taken for a variable.

    Args:
        interpreter: The path of ``cmd.exe``.
        script: A path.
        arguments: Each becomes ``%1`` and so on; ``%~1`` is it without its quotes.

    Raises:
        ValueError: cmd.exe has no way to say it: a line end, a null character, a quote in the
            script's path.
    """
    _refuse([script, *arguments], "\0\r\n")
    if '"' in script or script.endswith("\\"):
        raise ValueError("a quote in the name of a batch file, or a backslash at its end")
    words = [script, *(_BACKSLASHES_AT_END.sub(r"\1\1", each) for each in arguments)]
    inner = " ".join('"{}"'.format(each.replace('"', '""')) for each in words)
    # Extensions on, because the escape needs them; no delayed expansion of !NAME!; no AutoRun.
    return f'"{interpreter}" /e:on /v:off /d /c "{inner.replace("%", _EMPTY_VARIABLE)}"'


def _refuse(texts: Sequence[str], characters: str) -> None:
    for text in texts:
        found = next((each for each in characters if each in text), None)
        if found is not None:
            raise ValueError(f"the character {found!a} in {text!r}")
