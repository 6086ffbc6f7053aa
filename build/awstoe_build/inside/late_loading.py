"""Runs inside the frozen program before awstoe: unpacks files when a module needs them.

``archive.py`` has added the files to the archive of modules. They are unpacked to the bootloader's
unpack folder, which it removes at the end with everything in it. A step may remove the folder
earlier, as ``rm -rf /tmp/*`` does. Then this module creates it again, and unpacks again what is
needed. If a step has put something else in its place, or has let others write to it, this module
uses a new folder. Both are locked and marked as the bootloader's own, so that a later start removes
them if this process is killed. Libraries that are loaded stay loaded. ``docs/bootloader.md``
describes who removes what.

Each library is loaded by its path before a module that needs it by name. So Linux does not have to
search the folder for libraries, and loads nothing that another user has put there.
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
_IN_USE = [_FOLDER]
"""The folder to which files are unpacked now."""
_UNPACKED: dict[str, tuple[int, int]] = {}
"""The inode and the time of the last change of each file that this process has unpacked."""
_MARK = ".awstoe"
_RANDOM = 6
"""How many characters at the end of the folder's name are random."""
_OWNER = os.lstat(_FOLDER).st_uid
_UNPACKING = _thread.allocate_lock()
_VARIABLE = "TMP" if sys.platform == "win32" else "TMPDIR"
_HINT = f"free some space there, or set {_VARIABLE} to another folder"
_HINTS = {errno.EEXIST: f"set {_VARIABLE} to a folder that other users cannot write to"}


class LateFiles:
    """A finder for modules that have a note in the archive."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Unpack the files that a module needs. Return its spec if it is one of these files.

        Raises:
            AwstoeError: A file cannot be unpacked.
        """
        own = LateFiles.unpack_for(name)
        if not own:
            return None
        spec: ModuleSpec | None = _frozen_importlib_external.spec_from_file_location(
            name, os.path.join(_IN_USE[0], own)
        )
        return spec

    @staticmethod
    def unpack_for(name: str) -> str:
        """Unpack the missing files that a module needs, and return its own file, if it is one.

        Raises:
            AwstoeError: A file cannot be unpacked.
        """
        archive = pyimod02_importers.pyz_archive
        note = "late:" + name
        if note not in archive.toc:
            return ""
        own: str
        own, files = marshal.loads(archive.extract(note))  # noqa: S302 - from our own archive
        try:
            # Two threads may import two modules that need the same library.
            with _UNPACKING:
                folder = make_folder()
                if not own and folder != _FOLDER:  # the package reads its data from there
                    raise _replaced()
                for file in files:
                    unpack(os.path.join(folder, file), archive, "late/" + file)
                for library in files[: files.index(own)] if own else ():
                    load(os.path.join(folder, library))
        except OSError as error:
            from awstoe.errors import AwstoeError  # noqa: PLC0415 - rarely needed

            raise AwstoeError(
                f"cannot unpack a part of awstoe to {_IN_USE[0]}: {error.strerror}",
                hint=_HINTS.get(error.errno or 0, _HINT),
            ) from error
        return own


def make_folder() -> str:
    """Return the folder to unpack to, and create it again if a step has removed it.

    Raises:
        OSError: It cannot be created, or another user has created something with its name.
    """
    folder = _IN_USE[0]
    try:
        facts = os.lstat(folder)
    except FileNotFoundError:
        os.mkdir(folder, 0o700)
        hold(folder)
        return folder
    # Anything loaded from there would run with this user's rights.
    if facts.st_uid != _OWNER:
        raise _replaced()
    if stat.S_ISDIR(facts.st_mode) and (sys.platform == "win32" or not facts.st_mode & 0o022):
        if facts.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(folder, 0o700)
        return folder
    _IN_USE[0] = _FOLDER[:-_RANDOM] + os.urandom(_RANDOM // 2).hex()
    os.mkdir(_IN_USE[0], 0o700)
    hold(_IN_USE[0])
    atexit.register(remove_folder, _IN_USE[0])
    return _IN_USE[0]


def hold(folder: str) -> None:
    """Lock and mark a folder as the bootloader does, until this process ends.

    On Windows, nobody can replace the folder while it is in use. On Linux, the module that locks is
    loaded once a step has run. It must not be imported here, because that may need the folder.
    """
    fcntl = sys.modules.get("fcntl")
    if fcntl is None or sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # without a lock, the folder must not have a mark
        os.close(opened)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    os.close(os.open(_MARK, flags, 0o600, dir_fd=opened))


def _replaced() -> FileExistsError:
    return FileExistsError(errno.EEXIST, "something else has taken its place")


def remove_folder(folder: str) -> None:
    """Remove a folder that the bootloader does not know."""
    import shutil  # noqa: PLC0415 - rarely needed

    shutil.rmtree(folder, ignore_errors=True)


def unpack(path: str, archive: object, name: str) -> None:
    """Write a file atomically, unless this process has done so and nobody has changed it since.

    A step may have let others write to the folder for a while.

    Raises:
        OSError: The file cannot be written.
    """
    if os.path.lexists(path) and _identity(path) == _UNPACKED.get(path):
        return
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    new = f"{path}.{os.urandom(8).hex()}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "wb") as stream:
        stream.write(archive.extract(name))  # type: ignore[attr-defined] # PyInstaller's reader
    os.replace(new, path)
    _UNPACKED[path] = _identity(path)


def _identity(path: str) -> tuple[int, int]:
    facts = os.lstat(path)
    return facts.st_ino, facts.st_ctime_ns


def load(path: str) -> None:
    """Load a library, so that modules that need a library of its name get this one.

    The interpreter has no function to load a plain library. This one loads it as a module, fails to
    find the function that initializes the module, and leaves the library loaded.

    Raises:
        ImportError: The library cannot be loaded. Continuing would use the machine's library.
    """
    try:
        _imp.create_dynamic(ModuleSpec("library", None, origin=path))
    except ImportError as error:
        if "PyInit_library" not in str(error):
            raise


sys.meta_path.insert(0, LateFiles)
