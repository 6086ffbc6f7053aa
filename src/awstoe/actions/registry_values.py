"""The inputs that only SetRegistry has: a key's path, and a value that fits its type.

A value that does not fit its type is an error before the run: Windows would store something else.
"""

import re
from typing import Final

from awstoe.actions.fields import Field, describe
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform

TYPES: Final = ("BINARY", "DWORD", "QWORD", "SZ", "EXPAND_SZ", "MULTI_SZ")

_ROOTS: Final = {
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKU": "HKEY_USERS",
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCC": "HKEY_CURRENT_CONFIG",
    "HKCU": "HKEY_CURRENT_USER",
}
_BITS: Final = {"DWORD": 32, "QWORD": 64}


class RegistryPath(Field):
    r"""The path of a key, such as ``HKLM:\SOFTWARE\Name``; parsed to one with a long root."""

    kind = "registry path"

    def parse(self, value: Value, platform: Platform) -> str:
        del platform
        path = self.text(value)
        match = re.fullmatch(r"([A-Za-z_]+):?\\+(.*?)\\*", path, re.DOTALL)
        root = match[1].upper() if match else ""
        root = _ROOTS.get(root, root)
        if match is None or root not in _ROOTS.values() or not match[2]:
            msg = (
                rf"expected a key below {', '.join(f'{short}:' for short in _ROOTS)} or their long"
                rf" names, such as HKLM:\SOFTWARE\Name, got {describe(value)}"
            )
            raise ValueError(msg)
        return rf"{root}\{match[2]}"


class RegistryValue(Field):
    """A string, a number or a list of strings; ``misfit`` checks it against its type."""

    kind = "string, number or list"

    def parse(self, value: Value, platform: Platform) -> str | tuple[str, ...]:
        del platform
        if isinstance(value, list):
            return tuple(self.text(entry) for entry in value)
        return self.text(value)


def misfit(value: Value, kind: str) -> str | None:
    """Return why a registry value of type ``kind`` cannot hold ``value``, or None."""
    if "\0" in "".join(map(str, value if isinstance(value, list) else [value])):
        return f"expected a value without null characters, got {describe(value)}"
    if kind == "MULTI_SZ":
        entries = value if isinstance(value, list) else [value]
        if any(not isinstance(entry, str) or not entry for entry in entries):
            return f"expected a list of non-empty strings for MULTI_SZ, got {describe(value)}"
        return None
    if isinstance(value, list | dict):
        return f"expected one value for {kind}, got {describe(value)}"
    text = "" if value is None else str(value)
    if kind in _BITS:
        return _misfit_number(text, kind)
    if kind == "BINARY" and not re.fullmatch(r"(?:[0-9A-Fa-f]{2}[ ,]?)*", text):
        return f"expected pairs of hexadecimal digits for BINARY, got {describe(value)}"
    return None


def stored(value: str | tuple[str, ...], kind: str) -> int | bytes | str | list[str]:
    """Return ``value``, which fits the type ``kind``, in the form that winreg expects."""
    if kind == "MULTI_SZ":
        return list(value) if isinstance(value, tuple) else [value]
    text = str(value)
    if kind in _BITS:
        return _number(text)
    if kind == "BINARY":
        return bytes.fromhex(text.replace(",", ""))
    return text


def _number(text: str) -> int:
    return int(text, 16) if text[:2] in ("0x", "0X") else int(text)


def _misfit_number(text: str, kind: str) -> str | None:
    bits = _BITS[kind]
    if re.fullmatch(r"[0-9]{1,20}|0[xX][0-9A-Fa-f]{1,16}", text) and _number(text) < 1 << bits:
        return None
    return f"expected an integer from 0 to {(1 << bits) - 1} for {kind}, got {describe(text)}"
