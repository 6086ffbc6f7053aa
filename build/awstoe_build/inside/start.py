"""Runs first inside the frozen program, before anything of awstoe: ties it to its boot loader.

The boot loader is the parent process. It unpacks to a folder of its own and removes that when the
program ends; if it is killed itself, nobody but this process is left to do so, and it is told by
SIGTERM, which the boot loader has held until now. Only modules that the interpreter has loaded
anyway are imported.
"""

import _signal  # type: ignore[import-not-found] # signal.py would load enum, a millisecond
import atexit
import os
import sys
import types

_BOOT_LOADER = int(os.environ.pop("_PYI_AWSTOE_PARENT", os.getppid()))
_HELD = os.environ.pop("_PYI_AWSTOE_HELD", "")
_FOLDER: str = sys._MEIPASS  # type: ignore[attr-defined] # noqa: SLF001
_OWNER = os.lstat(_FOLDER).st_uid
_STANDARD_ERROR = 2


def remove_folder() -> None:
    """Remove the unpacked files when the boot loader is gone."""
    if os.getppid() == _BOOT_LOADER:
        return
    import shutil  # noqa: PLC0415 - hardly ever needed

    # A step may have removed it, and somebody else put something in its place.
    if os.path.lexists(_FOLDER) and os.lstat(_FOLDER).st_uid == _OWNER:
        shutil.rmtree(_FOLDER, ignore_errors=True)


def terminated(number: int, _: types.FrameType | None) -> None:
    """End by the signal as if there were no handler, but leave no files."""
    remove_folder()
    _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)


def keep_own_archive() -> None:
    """Read modules from this very program, even if another file takes its place meanwhile."""
    import pyimod02_importers  # type: ignore[import-not-found] # noqa: PLC0415 - PyInstaller's own

    this = "/proc/self/exe"
    if not os.access(this, os.R_OK):
        return
    # Under qemu that name leads to what has the program's path by now; what is open stays.
    descriptor = os.open(this, os.O_RDONLY)
    if descriptor > _STANDARD_ERROR:
        this = f"/proc/self/fd/{descriptor}"
    else:  # the standard streams are closed: what is opened next must not become one
        os.close(descriptor)
    pyimod02_importers.pyz_archive._filename = this  # noqa: SLF001


atexit.register(remove_folder)
if _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
    _signal.signal(_signal.SIGTERM, terminated)
if _HELD:
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGTERM])
keep_own_archive()
