"""The registry of Windows; other systems have none."""

import sys
from typing import Final

from awstoe.errors import ActionError

if sys.platform == "win32":
    # Writes into the registry of Windows.
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
        """Set a value; missing keys are made.

        Args:
            path: The long name of a root, a backslash, the rest.
            name: The value's name; empty for the key's default value.
            kind: One of BINARY, DWORD, QWORD, SZ, EXPAND_SZ, MULTI_SZ.
            value: What fits the kind.

        Raises:
            OSError: The system refused.
        """
        root, _, rest = path.partition("\\")
        try:
            with winreg.CreateKeyEx(_ROOTS[root], rest, 0, _ACCESS) as key:
                winreg.SetValueEx(key, name, 0, _TYPES[kind], value)
        except OSError as error:
            # The key is the path that it is about.
            raise OSError(error.errno, error.strerror, path, error.winerror) from error


else:
    # The Linux side of the registry: documents that use it are refused before they run.

    def set_value(path: str, name: str, kind: str, value: int | bytes | str | list[str]) -> None:
        """Refuse: there is no registry.

        Raises:
            ActionError: Always.
        """
        del name, kind, value
        raise ActionError(
            f"there is no registry on Linux, and so no key {path!r}",
            hint="run the document on Windows",
        )
