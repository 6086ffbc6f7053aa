"""Runs first inside the frozen program on Windows: ties it to its boot loader.

The boot loader is the parent process. It unpacks to a folder of its own and removes that when the
program ends; if it is ended itself, nobody but this process is left to do so. Then a run is asked
to stop, and the folder is removed after this process has ended: until then Windows protects the
libraries in it. The boot loader has an event, too, by which an awstoe that ends a step asks the
single files in it to stop. Only modules that are part of the interpreter are imported.
"""

import _thread
import _winapi
import atexit
import msvcrt
import os
import sys
import types

assert sys.platform == "win32"  # noqa: S101 - for the type checker, which knows this form

_STOP = int(os.environ.pop("_PYI_AWSTOE_STOP", "0"))
"""The handle of the event that asks to stop; 0: there is none."""
_STOPPED = 0xC000013A - 2**32
"""The exit code of a program that Ctrl-Break ends (STATUS_CONTROL_C_EXIT), for a signed int."""
_SYNCHRONIZE = 0x00100000
_SHARE_ALL = 7
"""Others may read, write, rename and delete it."""
_NAME_START = len("_MEI")
_NAME_END = _NAME_START + 8
"""Where the name of the folder has the boot loader's process id, in hexadecimal."""
_DETACHED = _winapi.DETACHED_PROCESS
_REMOVE = " & ".join(
    f'if exist "%AWSTOE_UNPACKED%" ping -n {seconds + 1} 127.0.0.1 >nul'
    ' & rmdir /s /q "%AWSTOE_UNPACKED%"'
    for seconds in (1, 1, 2, 5, 10, 30)
)
"""Tries again, as this process may take a while to end; ping is the only clock that waits there."""


class OwnArchive:
    """What opens the file with the modules: this very program, even if another takes its place.

    Args:
        path: The program, while it is certainly still the one that runs.
    """

    def __init__(self, path: str) -> None:
        handle = _winapi.CreateFile(
            path, _winapi.GENERIC_READ, _SHARE_ALL, 0, _winapi.OPEN_EXISTING, 0, 0
        )
        self._file = msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)
        self._lock = _thread.allocate_lock()

    def __call__(self, _: str, __: str) -> "OwnArchive":
        """As ``open`` is called."""
        return self

    def __enter__(self) -> "OwnArchive":  # noqa: PYI034 - typing is not loaded
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def seek(self, place: int) -> None:
        """Go to a place counted from the start."""
        os.lseek(self._file, place, os.SEEK_SET)

    def read(self, size: int) -> bytes:
        """Read so many bytes, or those that there are."""
        data = b""
        while len(data) < size:
            more = os.read(self._file, size - len(data))
            if not more:
                break
            data += more
        return data


def keep_own_archive() -> None:
    """Read modules from this very program from now on."""
    import pyimod01_archive  # type: ignore[import-not-found] # noqa: PLC0415 - PyInstaller's own

    pyimod01_archive.open = OwnArchive(sys.executable)


def boot_loader() -> int | None:
    """A handle of the boot loader's process; None where it is not the parent, or is gone."""
    unpacked = os.path.basename(sys._MEIPASS)  # type: ignore[attr-defined] # noqa: SLF001
    parent = os.getppid()
    try:
        if int(unpacked[_NAME_START:_NAME_END], 16) != parent:
            return None
        return _winapi.OpenProcess(_SYNCHRONIZE, False, parent)  # noqa: FBT003 - C's
    except (OSError, ValueError):
        return None


def stop_run(*, urgent: bool) -> bool:
    """Ask a run to stop; whether there is one."""
    stop = getattr(sys.modules.get("awstoe.host.process.windows.signals"), "stop", None)
    return stop is not None and bool(stop(urgent=urgent))


def watch(parent: int) -> None:
    """Wait, in a thread, for the end of the boot loader or for being asked to stop.

    What is no run ends at once when it is asked, as by Ctrl-Break; the boot loader cleans up.
    """
    if _STOP:
        os.set_handle_inheritable(_STOP, False)  # noqa: FBT003 - C's
        asked = _winapi.WaitForMultipleObjects((_STOP, parent), False, _winapi.INFINITE)  # noqa: FBT003
        if asked == _winapi.WAIT_OBJECT_0 and not stop_run(urgent=True):
            try:
                remove_folder(parent)
            finally:
                os._exit(_STOPPED)
    _winapi.WaitForSingleObject(parent, _winapi.INFINITE)
    stop_run(urgent=False)


def remove_folder(parent: int) -> None:
    """Let the unpacked files be removed when the boot loader is gone and this process has ended."""
    if _winapi.WaitForSingleObject(parent, 0) != _winapi.WAIT_OBJECT_0:
        return
    shell = os.path.join(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32", "cmd.exe")
    folder = sys._MEIPASS  # type: ignore[attr-defined] # noqa: SLF001
    _winapi.CreateProcess(
        shell,
        f'cmd.exe /d /s /c "{_REMOVE}"',
        None,
        None,
        False,  # noqa: FBT003 - C's
        _DETACHED,
        {**os.environ, "AWSTOE_UNPACKED": folder},
        os.path.dirname(folder),
        types.SimpleNamespace(
            dwFlags=0, wShowWindow=0, hStdInput=0, hStdOutput=0, hStdError=0, lpAttributeList=None
        ),
    )


keep_own_archive()
_PARENT = boot_loader()
if _PARENT is not None:
    atexit.register(remove_folder, _PARENT)
    _thread.start_new_thread(watch, (_PARENT,))
