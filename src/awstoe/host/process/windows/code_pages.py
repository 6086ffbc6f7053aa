"""Windows: the code page in which console programs write to a pipe."""

import codecs
import ctypes
import sys
from functools import cache
from typing import Final

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"

_UTF8: Final = 65001
_SYSTEM_DEFAULT: Final = 0x800
_OEM_CODE_PAGE: Final = 0xB
_ANSI_CODE_PAGE: Final = 0x1004


def decode(line: bytes) -> str:
    """``line``, which is no UTF-8, by the console's code page; what it does not have is U+FFFD."""
    return codecs.code_page_decode(_code_page(), line, "replace", True)[0]


@cache
def _code_page() -> int:
    """The console's, else that of consoles on this system, else that of its other programs.

    The system is asked by locale: ``GetOEMCP`` answers for this process, whose manifest says UTF-8.
    """
    found = (
        kernel32.api.GetConsoleOutputCP(),
        _of_system(_OEM_CODE_PAGE),
        _of_system(_ANSI_CODE_PAGE),
    )
    return next((page for page in found if page not in (0, _UTF8)), _UTF8)


def _of_system(kind: int) -> int:
    buffer = ctypes.create_unicode_buffer(16)
    kernel32.api.GetLocaleInfoW(_SYSTEM_DEFAULT, kind, buffer, len(buffer))
    return int(buffer.value) if buffer.value.isdecimal() else 0
