"""Windows: decodes what console programs write to a pipe, in the console's code page."""

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
    """Decode ``line``, which is not UTF-8; bytes that the code page lacks become U+FFFD."""
    return codecs.code_page_decode(_code_page(), line, "replace", True)[0]


@cache
def _code_page() -> int:
    """Return the code page of our console, else the system's for consoles, else for other programs.

    The last two come from the locale: ``GetOEMCP`` returns that of this process, which is UTF-8 by
    its manifest.
    """
    pages = (
        kernel32.api.GetConsoleOutputCP(),
        _of_system(_OEM_CODE_PAGE),
        _of_system(_ANSI_CODE_PAGE),
    )
    return next((page for page in pages if page not in (0, _UTF8)), _UTF8)


def _of_system(kind: int) -> int:
    buffer = ctypes.create_unicode_buffer(16)
    kernel32.api.GetLocaleInfoW(_SYSTEM_DEFAULT, kind, buffer, len(buffer))
    return int(buffer.value) if buffer.value.isdecimal() else 0
