"""Runs first inside the frozen program on Windows: connects it to its bootloader.

The bootloader is the parent process. It removes the unpack folder when the program has ended. If it
is killed, this process has to see to that: it asks the run to stop, and starts its own executable
again as a cleaner: the bootloader in that removes the folder after this process has ended, because
until then Windows protects the libraries in it. The bootloader also has an event, by which an
awstoe that ends a step asks the one-file programs in that step to stop. ``docs/bootloader.md``
describes this for both sides. Only modules that are part of the interpreter are imported.
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
"""The handle of the event that asks this program to stop; 0 if there is none."""
_STOPPED = 0xC000013A - 2**32
"""The exit code of a program that Ctrl-Break ends (STATUS_CONTROL_C_EXIT), as a signed integer."""
_SYNCHRONIZE = 0x00100000
_SHARE_ALL = 7
"""Other processes may read, write, rename and delete the file."""
_NAME_START = len("_MEI")
_NAME_END = _NAME_START + 8
"""The part of the folder's name with the bootloader's process ID, in hexadecimal."""
_DETACHED = _winapi.DETACHED_PROCESS
_OWN_PREFIX = "_PYI_"
_CLEAN = "_PYI_AWSTOE_CLEAN"
"""Tells the bootloader that it runs as a cleaner: a handle of this process, a space, the folder."""


class OwnArchive:
    """A replacement for ``open`` that always returns this executable, even if its path changes.

    Args:
        path: The path of the executable, at a time when it certainly still is this one.
    """

    def __init__(self, path: str) -> None:
        handle = _winapi.CreateFile(
            path, _winapi.GENERIC_READ, _SHARE_ALL, 0, _winapi.OPEN_EXISTING, 0, 0
        )
        self._file = msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)
        self._lock = _thread.allocate_lock()

    def __call__(self, _: str, __: str) -> "OwnArchive":
        """Take the arguments of ``open``, and ignore them."""
        return self

    def __enter__(self) -> "OwnArchive":  # noqa: PYI034 - typing is not loaded
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def seek(self, offset: int) -> None:
        """Set the position, counted from the start."""
        os.lseek(self._file, offset, os.SEEK_SET)

    def read(self, size: int) -> bytes:
        """Read ``size`` bytes, or fewer at the end of the file."""
        data = b""
        while len(data) < size:
            more = os.read(self._file, size - len(data))
            if not more:
                break
            data += more
        return data


def keep_own_archive() -> None:
    """Read modules from this executable from now on, even if its path gets another file."""
    import pyimod01_archive  # type: ignore[import-not-found] # noqa: PLC0415 - PyInstaller's own

    pyimod01_archive.open = OwnArchive(sys.executable)


def open_bootloader() -> int | None:
    """Return a handle of the bootloader's process, or None if it is not the parent or has ended."""
    unpacked = os.path.basename(sys._MEIPASS)  # type: ignore[attr-defined] # noqa: SLF001
    parent = os.getppid()
    try:
        if int(unpacked[_NAME_START:_NAME_END], 16) != parent:
            return None
        return _winapi.OpenProcess(_SYNCHRONIZE, False, parent)  # noqa: FBT003 - C's
    except (OSError, ValueError):
        return None


def stop_run(*, urgent: bool) -> bool:
    """Ask the run to stop, and return whether there is one."""
    stop = getattr(sys.modules.get("awstoe.host.process.windows.signals"), "stop", None)
    return stop is not None and bool(stop(urgent=urgent))


def watch(parent: int) -> None:
    """Wait, in a thread, until the bootloader ends or the event asks this program to stop.

    A program without a run exits at once when asked, as after Ctrl-Break, and the bootloader
    removes the folder.
    """
    if _STOP:
        os.set_handle_inheritable(_STOP, False)  # noqa: FBT003 - C's
        signaled = _winapi.WaitForMultipleObjects((_STOP, parent), False, _winapi.INFINITE)  # noqa: FBT003
        if signaled == _winapi.WAIT_OBJECT_0 and not stop_run(urgent=True):
            try:
                remove_folder(parent)
            finally:
                os._exit(_STOPPED)
    _winapi.WaitForSingleObject(parent, _winapi.INFINITE)
    stop_run(urgent=False)


def remove_folder(parent: int) -> None:
    """If the bootloader has died, start a cleaner that removes the folder after this process.

    No other program is involved, because another user may have put one of its name into a folder
    that Windows would search.
    """
    if _winapi.WaitForSingleObject(parent, 0) != _winapi.WAIT_OBJECT_0:
        return
    this = _winapi.GetCurrentProcess()
    own = _winapi.DuplicateHandle(this, this, this, _SYNCHRONIZE, True, 0)  # noqa: FBT003 - C's
    others = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIX)}
    _winapi.CreateProcess(
        sys.executable,
        f'"{sys.executable}"',
        None,
        None,
        True,  # noqa: FBT003 - C's
        _DETACHED,
        {**others, _CLEAN: f"{own} {sys._MEIPASS}"},  # type: ignore[attr-defined] # noqa: SLF001
        None,
        types.SimpleNamespace(
            dwFlags=0,
            wShowWindow=0,
            hStdInput=0,
            hStdOutput=0,
            hStdError=0,
            lpAttributeList={"handle_list": [own]},
        ),
    )


keep_own_archive()
_PARENT = open_bootloader()
if _PARENT is not None:
    atexit.register(remove_folder, _PARENT)
    _thread.start_new_thread(watch, (_PARENT,))
