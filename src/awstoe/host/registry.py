"""Writes values to the Windows registry."""

import sys
from typing import Final

from awstoe.errors import ActionError

if sys.platform == "win32":
    import winreg

    _ROOTS: Final = {
        "HKEY_CLASSES_ROOT": winreg.HKEY_CLASSES_ROOT,
        "HKEY_USERS": winreg.HKEY_USERS,
        "HKEY_LOCAL_MACHINE": winreg.HKEY_LOCAL_MACHINE,
        "HKEY_CURRENT_CONFIG": winreg.HKEY_CURRENT_CONFIG,
        "HKEY_CURRENT_USER": winreg.HKEY_CURRENT_USER,
    }
    _TYPES: Final = {
        "BINARY": winreg.REG_BINARY,
        "DWORD": winreg.REG_DWORD,
        "QWORD": winreg.REG_QWORD,
        "SZ": winreg.REG_SZ,
        "EXPAND_SZ": winreg.REG_EXPAND_SZ,
        "MULTI_SZ": winreg.REG_MULTI_SZ,
    }
    _ACCESS: Final = winreg.KEY_SET_VALUE | winreg.KEY_WOW64_64KEY

    def set_value(path: str, name: str, kind: str, value: int | bytes | str | list[str]) -> None:
        """Set a value and create missing keys.

        Args:
            path: The long name of a root, a backslash, the rest.
            name: The value's name; empty for the key's default value.
            kind: One of BINARY, DWORD, QWORD, SZ, EXPAND_SZ, MULTI_SZ.
            value: Of the Python type that fits ``kind``.

        Raises:
            OSError: The system does not allow it.
        """
        root, _, rest = path.partition("\\")
        try:
            with winreg.CreateKeyEx(_ROOTS[root], rest, 0, _ACCESS) as key:
                winreg.SetValueEx(key, name, 0, _TYPES[kind], value)
        except OSError as error:
            # winreg does not say which key it was.
            raise OSError(error.errno, error.strerror, path, error.winerror) from error


else:

    def set_value(path: str, name: str, kind: str, value: int | bytes | str | list[str]) -> None:
        """Raise an error: Linux has no registry.

        Raises:
            ActionError: Always.
        """
        del name, kind, value
        raise ActionError(
            f"cannot write the key {path!r}: Linux has no registry",
            hint="run the document on Windows",
        )
