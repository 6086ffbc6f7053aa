"""Reads and copies the permissions of Windows: access lists and owners of files."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import wintypes
from typing import Final

from awstoe.host import kernel32_windows as kernel32

assert sys.platform == "win32"

_FILE_OBJECT: Final = 1
_OWNER: Final = 1
_ACCESS_LIST: Final = 4
_PROTECTED_ACCESS_LIST: Final = 0x80000000
_UNPROTECTED_ACCESS_LIST: Final = 0x20000000
_IS_PROTECTED: Final = 0x1000

_api: Final = ctypes.WinDLL("advapi32", use_last_error=True)
_api.ConvertSidToStringSidW.argtypes = [wintypes.LPVOID, wintypes.LPVOID]


@contextmanager
def _described(path: str, parts: int) -> Iterator[tuple[int | None, int | None, int | None]]:
    """Yield the addresses of a file's owner, its access list and its whole descriptor.

    Raises:
        OSError: They cannot be read.
    """
    owner, entries, descriptor = wintypes.LPVOID(), wintypes.LPVOID(), wintypes.LPVOID()
    _check(
        _api.GetNamedSecurityInfoW(
            wintypes.LPCWSTR(path),
            _FILE_OBJECT,
            parts,
            ctypes.byref(owner),
            None,
            ctypes.byref(entries),
            None,
            ctypes.byref(descriptor),
        ),
        path,
    )
    try:
        yield owner.value, entries.value, descriptor.value
    finally:
        kernel32.api.LocalFree(descriptor)


def preserve(path: str, new: str) -> None:
    """Copy the access list of the file at ``path`` to ``new``.

    Raises:
        OSError: The list cannot be read or set.
    """
    with _described(path, _ACCESS_LIST) as (_, entries, descriptor):
        control, revision = wintypes.WORD(), wintypes.DWORD()
        _api.GetSecurityDescriptorControl(
            wintypes.LPVOID(descriptor), ctypes.byref(control), ctypes.byref(revision)
        )
        protected = bool(control.value & _IS_PROTECTED)
        kind = _PROTECTED_ACCESS_LIST if protected else _UNPROTECTED_ACCESS_LIST
        _check(
            _api.SetNamedSecurityInfoW(
                wintypes.LPCWSTR(new),
                _FILE_OBJECT,
                _ACCESS_LIST | kind,
                None,
                None,
                wintypes.LPVOID(entries),
                None,
            ),
            new,
        )


def owner(path: str) -> str:
    """Return a file's or folder's owner, as a security identifier such as ``S-1-5-18``.

    Raises:
        OSError: The system does not return it.
    """
    with _described(path, _OWNER) as (identifier, _, _):
        return _as_text(identifier)


_ENTRY_COUNT_AT: Final = 4
_ALLOWING: Final = frozenset({0, 9})
"""Types of entries that allow something, without and with a condition."""
_INHERIT_ONLY: Final = 0x8
_REPLACING: Final = 0x2 | 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
"""Rights with which somebody can replace what is in a folder: add files, delete children, delete
the folder, change its access list or owner, all and all writing."""
_TRUSTED: Final = frozenset(
    {
        "S-1-5-18",  # the system
        "S-1-5-32-544",  # administrators
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  # TrustedInstaller
        "S-1-3-4",  # the owner
        "S-1-22-1-0",  # root, under Wine
    }
)


class _Entry(ctypes.Structure):
    """The start of an access list's entry. The identifier follows."""

    _fields_ = (
        ("type", ctypes.c_ubyte),
        ("flags", ctypes.c_ubyte),
        ("size", wintypes.WORD),
        ("rights", wintypes.DWORD),
    )


def others_may_replace(folder: str) -> bool:
    """Whether users who are no administrators could replace what is in a folder.

    Raises:
        OSError: Its access list cannot be read.
    """
    trusted = _TRUSTED | {own_identifier()}
    with _described(folder, _OWNER | _ACCESS_LIST) as (identifier, entries, _):
        if entries is None or _as_text(identifier) not in trusted:
            return True
        for number in range(wintypes.WORD.from_address(entries + _ENTRY_COUNT_AT).value):
            address = wintypes.LPVOID()
            _require(_api.GetAce(wintypes.LPVOID(entries), number, ctypes.byref(address)))
            at = address.value or 0
            entry = _Entry.from_address(at)
            if (
                entry.type in _ALLOWING
                and not entry.flags & _INHERIT_ONLY
                and entry.rights & _REPLACING
                and _as_text(at + ctypes.sizeof(_Entry)) not in trusted
            ):
                return True
    return False


_TOKEN_QUERY: Final = 0x8
_TOKEN_USER: Final = 1


def own_identifier() -> str:
    """Return the security identifier of the user who runs this process.

    Raises:
        OSError: The system does not return it.
    """
    token = wintypes.HANDLE()
    _require(_api.OpenProcessToken(wintypes.HANDLE(-1), _TOKEN_QUERY, ctypes.byref(token)))
    try:
        # A pointer to the identifier, attributes, and the identifier itself: up to 68 bytes.
        found = (ctypes.c_size_t * 16)()
        size = wintypes.DWORD()
        _require(
            _api.GetTokenInformation(
                token, _TOKEN_USER, found, ctypes.sizeof(found), ctypes.byref(size)
            )
        )
        return _as_text(found[0])
    finally:
        kernel32.api.CloseHandle(token)


def _as_text(identifier: int | None) -> str:
    text = wintypes.LPWSTR()
    _require(_api.ConvertSidToStringSidW(identifier, ctypes.byref(text)))
    try:
        return text.value or ""
    finally:
        kernel32.api.LocalFree(text)


def _require(result: int) -> None:
    if not result:
        raise ctypes.WinError(ctypes.get_last_error())


def _check(code: int, path: str) -> None:
    """Raise an error for the code that a function returned."""
    if code:
        error = ctypes.WinError(code)
        raise OSError(error.errno, error.strerror, path, code)
