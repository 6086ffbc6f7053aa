"""Runs first inside the frozen program on Linux: connects it to its bootloader.

The bootloader is the parent process. It removes the unpack folder when the program has ended. If it
is killed, this process receives SIGTERM and has to remove the folder itself. The bootloader has
blocked SIGTERM, which is unblocked here when the handler is installed. ``docs/bootloader.md``
describes this for both sides. Only modules that the interpreter has loaded anyway are imported.
"""

import _signal  # type: ignore[import-not-found] # signal.py would load enum, a millisecond
import atexit
import os
import sys
import types

_BOOTLOADER = int(os.environ.pop("_PYI_AWSTOE_PARENT", os.getppid()))
_SIGTERM_BLOCKED = os.environ.pop("_PYI_AWSTOE_HELD", "")
_FOLDER: str = sys._MEIPASS  # type: ignore[attr-defined] # noqa: SLF001
_OWNER = os.lstat(_FOLDER).st_uid
_STANDARD_ERROR = 2


def remove_folder() -> None:
    """Remove the unpack folder if the bootloader has died."""
    if os.getppid() == _BOOTLOADER:
        return
    import shutil  # noqa: PLC0415 - rarely needed

    # A step may have removed the folder, and another user may have created one with its name.
    if os.path.lexists(_FOLDER) and os.lstat(_FOLDER).st_uid == _OWNER:
        shutil.rmtree(_FOLDER, ignore_errors=True)


def terminated(number: int, _: types.FrameType | None) -> None:
    """Remove the unpack folder, then die of the signal as if there were no handler."""
    remove_folder()
    _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)


def keep_own_archive() -> None:
    """Read modules from this executable from now on, even if its path gets another file."""
    import pyimod02_importers  # type: ignore[import-not-found] # noqa: PLC0415 - PyInstaller's own

    this = "/proc/self/exe"
    if not os.access(this, os.R_OK):
        return
    # Under qemu, that name leads to the file that has the executable's path at that moment. An open
    # descriptor keeps leading to the same file.
    descriptor = os.open(this, os.O_RDONLY)
    if descriptor > _STANDARD_ERROR:
        this = f"/proc/self/fd/{descriptor}"
    else:  # a standard stream is closed: the executable must not take its descriptor
        os.close(descriptor)
    pyimod02_importers.pyz_archive._filename = this  # noqa: SLF001


atexit.register(remove_folder)
if _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
    _signal.signal(_signal.SIGTERM, terminated)
if _SIGTERM_BLOCKED:
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGTERM])
keep_own_archive()
