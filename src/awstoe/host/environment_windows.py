"""Windows: the variables this process was given, by their names as they are written.

``os.environ`` has them in capitals, which programs that compare names exactly do not find. With
them go those without a name, in which the system keeps the current folder of each drive.
"""

import ctypes
import sys
from collections.abc import Mapping
from typing import Final

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"

_CHARACTER: Final = ctypes.sizeof(ctypes.c_wchar)


def variables() -> Mapping[str, str]:
    """All of them."""
    found = {}
    block = kernel32.api.GetEnvironmentStringsW()
    try:
        address = block
        while entry := ctypes.wstring_at(address):
            address += (len(entry) + 1) * _CHARACTER
            name, sign, value = entry[1:].partition("=")  # the first character may be a "="
            if sign:
                found[entry[0] + name] = value
    finally:
        kernel32.api.FreeEnvironmentStringsW(block)
    return found
