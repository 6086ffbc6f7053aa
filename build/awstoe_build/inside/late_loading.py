"""Runs inside the frozen program, before it: unpacks files with the module that needs them.

They are in the archive of modules; ``archive.py`` puts them there. The folder is the boot
loader's, which removes it with everything in it. A step may empty it before, as ``rm -rf /tmp/*``
does: then it is made again, and so is what is needed of it. Libraries that are loaded stay loaded.

Each library is loaded by its path before what asks for it by name. So Linux need not be told to
look for libraries in the folder, and loads nothing that somebody else has put there.
"""

import _frozen_importlib_external
import _imp
import _thread
import atexit
import errno
import marshal
import os
import stat
import sys
from importlib.machinery import ModuleSpec

import pyimod02_importers  # type: ignore[import-not-found] # PyInstaller's own

_FOLDER: str = sys._MEIPASS  # type: ignore[attr-defined] # noqa: SLF001
_OWNER = os.lstat(_FOLDER).st_uid
_UNPACKING = _thread.allocate_lock()
_HINT = "free some space there, or name another folder by TMPDIR"
_HINTS = {errno.EEXIST: "name a folder that others cannot write to by TMPDIR"}


class LateFiles:
    """A finder that finds only modules with a note in the archive."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Unpack what a module needs, and find it if it is one of these files itself.

        Raises:
            AwstoeError: They cannot be unpacked.
        """
        own = LateFiles.unpack_for(name)
        if not own:
            return None
        spec: ModuleSpec | None = _frozen_importlib_external.spec_from_file_location(
            name, os.path.join(_FOLDER, own)
        )
        return spec

    @staticmethod
    def unpack_for(name: str) -> str:
        """Unpack what a module needs and is not there; gives the file that it is itself, if any.

        Raises:
            AwstoeError: It cannot be unpacked.
        """
        archive = pyimod02_importers.pyz_archive
        note = "late:" + name
        if note not in archive.toc:
            return ""
        own: str
        own, files = marshal.loads(archive.extract(note))  # noqa: S302 - of our own archive
        try:
            # Two threads may import two modules with the same library.
            with _UNPACKING:
                make_folder()
                for file in files:
                    unpack(os.path.join(_FOLDER, file), archive, "late/" + file)
                for library in files[: files.index(own)] if own else ():
                    load(os.path.join(_FOLDER, library))
        except OSError as error:
            from awstoe.errors import AwstoeError  # noqa: PLC0415 - hardly ever needed

            raise AwstoeError(
                f"cannot unpack a part of awstoe to {_FOLDER}: {error.strerror}",
                hint=_HINTS.get(error.errno or 0, _HINT),
            ) from error
        return own


def make_folder() -> None:
    """Make the folder again if it is gone.

    Raises:
        OSError: It cannot be made, or somebody else has put something in its place.
    """
    try:
        about = os.lstat(_FOLDER)
    except FileNotFoundError:
        os.mkdir(_FOLDER, 0o700)
        return
    # What would be loaded from there would run with this user's rights.
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != _OWNER:
        raise FileExistsError(errno.EEXIST, "something else stands there now")


def unpack(path: str, archive: object, name: str) -> None:
    """Write a file as a whole, unless it is there.

    Raises:
        OSError: It cannot be written.
    """
    if os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    new = path + ".new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "wb") as stream:
        stream.write(archive.extract(name))  # type: ignore[attr-defined] # PyInstaller's reader
    os.replace(new, path)


def load(path: str) -> None:
    """Load a library, so that whatever needs one of its name gets this one.

    The interpreter offers to load modules alone: it takes this for one, loads it, misses the
    function that makes the module, and leaves it loaded.

    Raises:
        ImportError: It cannot be loaded. To go on would be to use the machine's.
    """
    try:
        _imp.create_dynamic(ModuleSpec("library", None, origin=path))
    except ImportError as error:
        if "PyInit_library" not in str(error):
            raise


def leave_folder() -> None:
    """See to it that the boot loader finds the folder: without one to remove, it warns."""
    try:
        make_folder()
    except OSError:
        pass  # its warning is right


sys.meta_path.insert(0, LateFiles)
atexit.register(leave_folder)
