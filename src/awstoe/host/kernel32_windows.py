"""Declares the functions of Windows' kernel32 that Python does not offer.

A failed call raises an ``OSError`` whose ``winerror`` is the system's code. Handles are ints.
"""

import ctypes
import msvcrt
import os
import sys
from collections.abc import Sequence
from ctypes import wintypes
from typing import Final

assert sys.platform == "win32"

INFINITE: Final = 0xFFFFFFFF
WAIT_FAILED: Final = 0xFFFFFFFF

PROCESS_TERMINATE: Final = 0x0001
PROCESS_SUSPEND_RESUME: Final = 0x0800

ERROR_ACCESS_DENIED: Final = 5
ERROR_BROKEN_PIPE: Final = 109
ERROR_MORE_DATA: Final = 234
ERROR_IO_INCOMPLETE: Final = 996
ERROR_IO_PENDING: Final = 997

_INVALID_HANDLE: Final = ctypes.c_void_p(-1).value
_LONGEST_PATH: Final = 32_768
_UNIX_EPOCH: Final = 116_444_736_000_000_000
"""100-nanosecond intervals between 1601-01-01 and 1970-01-01."""
_DNS_HOST_NAME: Final = 5
"""COMPUTER_NAME_FORMAT: the machine's own name, not that of its cluster."""
_SYNCHRONIZE: Final = 0x00100000
_PROCESS_QUERY_LIMITED_INFORMATION: Final = 0x1000
_EVENT_MODIFY_STATE: Final = 0x0002
_SNAPSHOT_OF_PROCESSES: Final = 0x0002


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES: whether a handle is inherited."""

    _fields_ = (
        ("length", wintypes.DWORD),
        ("descriptor", wintypes.LPVOID),
        ("inherit", wintypes.BOOL),
    )


class Overlapped(ctypes.Structure):
    """OVERLAPPED: one pending read."""

    _fields_ = (
        ("internal", ctypes.c_size_t),
        ("internal_high", ctypes.c_size_t),
        ("offset", wintypes.DWORD),
        ("offset_high", wintypes.DWORD),
        ("event", wintypes.HANDLE),
    )


class StartupInfoEx(ctypes.Structure):
    """STARTUPINFOEXW: standard handles, and a list of attributes."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("reserved", wintypes.LPWSTR),
        ("desktop", wintypes.LPWSTR),
        ("title", wintypes.LPWSTR),
        ("position", wintypes.DWORD * 7),
        ("flags", wintypes.DWORD),
        ("show_window", wintypes.WORD),
        ("reserved_size", wintypes.WORD),
        ("reserved_bytes", wintypes.LPVOID),
        ("stdin", wintypes.HANDLE),
        ("stdout", wintypes.HANDLE),
        ("stderr", wintypes.HANDLE),
        ("attributes", wintypes.LPVOID),
    )


class ProcessInformation(ctypes.Structure):
    """PROCESS_INFORMATION."""

    _fields_ = (
        ("process", wintypes.HANDLE),
        ("thread", wintypes.HANDLE),
        ("process_id", wintypes.DWORD),
        ("thread_id", wintypes.DWORD),
    )


class JobLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", wintypes.DWORD),
        ("smallest_working_set", ctypes.c_size_t),
        ("largest_working_set", ctypes.c_size_t),
        ("processes", wintypes.DWORD),
        ("affinity", ctypes.c_size_t),
        ("priority", wintypes.DWORD),
        ("scheduling", wintypes.DWORD),
        ("io_counters", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    )


class ProcessEntry(ctypes.Structure):
    """PROCESSENTRY32W: one process of a snapshot."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("usage", wintypes.DWORD),
        ("process_id", wintypes.DWORD),
        ("heap", ctypes.c_size_t),
        ("module", wintypes.DWORD),
        ("threads", wintypes.DWORD),
        ("parent_id", wintypes.DWORD),
        ("priority", wintypes.LONG),
        ("flags", wintypes.DWORD),
        ("name", wintypes.WCHAR * 260),
    )


def _returns_truth(result: int, function: object, arguments: object) -> int:
    """Raise an error for a failed call, of functions that return 0 then."""
    del function, arguments
    if not result:
        raise ctypes.WinError(ctypes.get_last_error())
    return result


def _returns_handle(result: int | None, function: object, arguments: object) -> int:
    """Raise an error for a failed call, of functions that return a handle."""
    del function, arguments
    if result is None or result == _INVALID_HANDLE:
        raise ctypes.WinError(ctypes.get_last_error())
    return result


_TYPES: Final[dict[str, object]] = {
    "b": wintypes.BOOL,
    "d": wintypes.DWORD,
    "h": wintypes.HANDLE,
    "i": ctypes.c_int,
    "p": wintypes.LPVOID,
    "v": None,
    "w": wintypes.LPCWSTR,
    "z": ctypes.c_size_t,
}
_CHECKS: Final = {"?": ("b", _returns_truth), "H": ("h", _returns_handle)}
"""Results that show a failure: 0, and an invalid handle."""

_FUNCTIONS: Final = {
    "AssignProcessToJobObject": "hh?",
    "CancelIoEx": "hpb",
    "CloseHandle": "h?",
    "CreateEventW": "pbbwH",
    "CreateFileW": "wddpddhH",
    "CreateJobObjectW": "pwH",
    "CreateNamedPipeW": "wddddddpH",
    "CreateProcessW": "wpppbdpwpp?",
    "CreateTimerQueueTimer": "phppddd?",
    "CreateToolhelp32Snapshot": "ddH",
    "DeleteProcThreadAttributeList": "pv",
    "DeleteTimerQueueTimer": "hhhb",
    "FreeEnvironmentStringsW": "pb",
    "GenerateConsoleCtrlEvent": "dd?",
    "GetComputerNameExW": "dpp?",
    "GetConsoleCP": "d",
    "GetConsoleOutputCP": "d",
    "GetEnvironmentStringsW": "p",
    "GetExitCodeProcess": "hp?",
    "GetFinalPathNameByHandleW": "hpddd",
    "GetLocaleInfoW": "ddpii",
    "GetOverlappedResult": "hppb?",
    "GetProcessTimes": "hpppp?",
    "GetSystemDirectoryW": "pd?",
    "InitializeProcThreadAttributeList": "pddpb",
    "LocalFree": "pp",
    "LockFileEx": "hddddpb",
    "OpenEventW": "dbwH",
    "OpenProcess": "dbdH",
    "Process32FirstW": "hp?",
    "Process32NextW": "hpb",
    "ProcessIdToSessionId": "dp?",
    "QueryFullProcessImageNameW": "hdpp?",
    "QueryInformationJobObject": "hipdpb",
    "ReadFile": "hpdppb",
    "ResetEvent": "h?",
    "ResumeThread": "hd",
    "SetConsoleCtrlHandler": "pb?",
    "SetDllDirectoryW": "w?",
    "SetEvent": "h?",
    "SetFileAttributesW": "wd?",
    "SetFileTime": "hppp?",
    "SetInformationJobObject": "hipd?",
    "TerminateJobObject": "hd?",
    "TerminateProcess": "hd?",
    "UpdateProcThreadAttribute": "pdzpzpp?",
    "WaitForMultipleObjects": "dpbdd",
    "WaitForSingleObject": "hdd",
}
"""The types of the arguments, then of the result."""

api: Final = ctypes.WinDLL("kernel32", use_last_error=True)
for _name, _types in _FUNCTIONS.items():
    _function = getattr(api, _name)
    _result, _check = _CHECKS.get(_types[-1], (_types[-1], None))
    _function.argtypes = [_TYPES[each] for each in _types[:-1]]
    _function.restype = _TYPES[_result]
    if _check is not None:
        _function.errcheck = _check


def last_error() -> int:
    """Return the code of this thread's last failed call, for functions that raise no error."""
    return ctypes.get_last_error()


def inheritable() -> SecurityAttributes:
    """Return attributes for a handle that a child inherits."""
    return SecurityAttributes(ctypes.sizeof(SecurityAttributes), None, inherit=True)


def event() -> int:
    """Create an event that is not set; once set, it stays so until it is reset."""
    return int(api.CreateEventW(None, True, False, None))


def open_event(name: str) -> int:
    """Open another process's event, to set it.

    Raises:
        OSError: There is no event of that name, or we have no right to it.
    """
    return int(api.OpenEventW(_EVENT_MODIFY_STATE, False, name))


def is_set(handle: int) -> bool:
    """Whether an event is set, or a process has ended."""
    return bool(api.WaitForSingleObject(handle, 0) == 0)


def wait_for_any(handles: Sequence[int], seconds: float | None) -> None:
    """Wait until one of up to 64 handles is set, for ``seconds`` or forever.

    Raises:
        OSError: One of them is not a handle.
    """
    array = (wintypes.HANDLE * len(handles))(*handles)
    milliseconds = INFINITE if seconds is None else min(int(seconds * 1000) + 1, INFINITE - 1)
    if api.WaitForMultipleObjects(len(handles), array, False, max(0, milliseconds)) == WAIT_FAILED:
        raise ctypes.WinError(ctypes.get_last_error())


def system_folder() -> str:
    """Return the folder of Windows' own programs."""
    buffer = ctypes.create_unicode_buffer(_LONGEST_PATH)
    api.GetSystemDirectoryW(buffer, len(buffer))
    return buffer.value


class AttributeList:
    """Attributes of a process to create: which handles it inherits. A context manager.

    Args:
        attribute: The attribute's number.
        handles: Its value; one or more.
    """

    def __init__(self, attribute: int, handles: Sequence[int]) -> None:
        self._handles = (wintypes.HANDLE * len(handles))(*handles)
        self._attribute = attribute
        size = ctypes.c_size_t()
        api.InitializeProcThreadAttributeList(None, 1, 0, ctypes.byref(size))
        self._list = ctypes.create_string_buffer(size.value)

    def __enter__(self) -> int:
        """Return the list's address, for ``StartupInfoEx``."""
        size = ctypes.c_size_t(len(self._list))
        if not api.InitializeProcThreadAttributeList(self._list, 1, 0, ctypes.byref(size)):
            raise ctypes.WinError(ctypes.get_last_error())
        api.UpdateProcThreadAttribute(
            self._list,
            0,
            self._attribute,
            self._handles,
            ctypes.sizeof(self._handles),
            None,
            None,
        )
        return ctypes.addressof(self._list)

    def __exit__(self, *error: object) -> None:
        api.DeleteProcThreadAttributeList(self._list)


def open_process(pid: int, rights: int = 0) -> int:
    """Open a process, to query it and wait for it, with additional ``rights``.

    Raises:
        OSError: There is no process with that ID, or we have no right to it.
    """
    access = _PROCESS_QUERY_LIMITED_INFORMATION | _SYNCHRONIZE
    return int(api.OpenProcess(access | rights, False, pid))


def parents() -> dict[int, int]:
    """Return the parent's ID of each process, by ID. A parent's ID may have been reused.

    Raises:
        OSError: The system does not return it.
    """
    found: dict[int, int] = {}
    entry = ProcessEntry(ctypes.sizeof(ProcessEntry))
    snapshot = api.CreateToolhelp32Snapshot(_SNAPSHOT_OF_PROCESSES, 0)
    try:
        more = api.Process32FirstW(snapshot, ctypes.byref(entry))
        while more:
            found[entry.process_id] = entry.parent_id
            more = api.Process32NextW(snapshot, ctypes.byref(entry))
    finally:
        api.CloseHandle(snapshot)
    return found


def creation_time(process: int) -> int:
    """Return when a process was created, in units of 100 nanoseconds since 1601.

    Raises:
        OSError: We have no right to it.
    """
    times = (wintypes.FILETIME * 4)()
    api.GetProcessTimes(process, *(ctypes.addressof(each) for each in times))
    return times[0].dwHighDateTime << 32 | times[0].dwLowDateTime


def image_name(process: int) -> str:
    """Return the path of a process's program.

    Raises:
        OSError: We have no right to it.
    """
    buffer = ctypes.create_unicode_buffer(_LONGEST_PATH)
    size = wintypes.DWORD(len(buffer))
    api.QueryFullProcessImageNameW(process, 0, buffer, ctypes.byref(size))
    return buffer.value


def exit_code(process: int) -> int:
    """Return the exit code of a process that has ended, as an unsigned 32-bit number."""
    code = wintypes.DWORD()
    api.GetExitCodeProcess(process, ctypes.byref(code))
    return code.value


def session() -> int:
    """Return the number of our session; 0 is the services' one."""
    number = wintypes.DWORD()
    api.ProcessIdToSessionId(os.getpid(), ctypes.byref(number))
    return number.value


def delete_timer(timer: wintypes.HANDLE) -> None:
    """Delete a timer of the process's default queue; if its function is running, wait for it."""
    api.DeleteTimerQueueTimer(None, timer, wintypes.HANDLE(-1))


def computer_name() -> str:
    """Return the machine's DNS name without its domain.

    Raises:
        OSError: The system does not return it.
    """
    buffer = ctypes.create_unicode_buffer(256)
    size = wintypes.DWORD(len(buffer))
    api.GetComputerNameExW(_DNS_HOST_NAME, buffer, ctypes.byref(size))
    return buffer.value


def path_of(descriptor: int) -> str:
    """Return the path of an open file, in its long form.

    Raises:
        OSError: The system does not return it.
    """
    buffer = ctypes.create_unicode_buffer(_LONGEST_PATH)
    handle = msvcrt.get_osfhandle(descriptor)
    if not api.GetFinalPathNameByHandleW(handle, buffer, len(buffer), 0):
        raise ctypes.WinError(ctypes.get_last_error())
    return buffer.value


def set_times(descriptor: int, accessed: int, written: int) -> None:
    """Set the times of an open file, in nanoseconds since 1970.

    Raises:
        OSError: The system does not allow it.
    """
    ticks = [moment // 100 + _UNIX_EPOCH for moment in (accessed, written)]
    times = [wintypes.FILETIME(each & 0xFFFFFFFF, each >> 32) for each in ticks]
    handle = msvcrt.get_osfhandle(descriptor)
    api.SetFileTime(handle, None, ctypes.byref(times[0]), ctypes.byref(times[1]))
