"""What a failed system call means, in a document author's words.

``OSError`` carries a number and a text such as "Device or resource busy"; a person needs to hear
which path it was about, what that means for a file, and what to do. The file-system actions turn
every ``OSError`` into an ``ActionError`` with these words.
"""

import os
import sys
from typing import NamedTuple

from awstoe.host import paths

if sys.platform == "win32":
    from awstoe.host import oserrors_windows as _platform
else:
    from awstoe.host import oserrors_linux as _platform


class Explanation(NamedTuple):
    """An ``OSError`` for a person."""

    reason: str
    """What went wrong, with the path it was about when the system named one."""
    hint: str | None
    """What to do about it."""


def explain(error: OSError) -> Explanation:
    """The reason of ``error``, with the path it names, and what to do."""
    words, hint = _platform.WORDS.get(_platform.number(error), ("", None))
    if not words:
        words = error.strerror or str(error) or type(error).__name__
    named = [quoted(name) for name in (error.filename, error.filename2) if name is not None]
    if named:
        words = f"{words}: {' -> '.join(dict.fromkeys(named))}"
    return Explanation(words, hint)


def quoted(path: object) -> str:
    """``path`` in quotes, with anything unprintable or undecodable escaped."""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return _platform.readable(repr(paths.shown(str(path))))
