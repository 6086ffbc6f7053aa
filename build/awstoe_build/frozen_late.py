"""Runs inside the frozen program, before it: unpacks files with the module that needs them.

They are in the archive of modules; ``frozen_contents.py`` puts them there. The folder is the boot
loader's, which removes it with everything in it.
"""

import _frozen_importlib_external
import _thread
import marshal
import os
import sys
from importlib.machinery import ModuleSpec

import pyimod02_importers  # type: ignore[import-not-found] # PyInstaller's own

_UNPACKING = _thread.allocate_lock()


class LateFiles:
    """A finder that finds only modules with a note in the archive."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Unpack what a module needs, and find it if it is one of these files itself.

        Raises:
            AwstoeError: They cannot be unpacked.
        """
        archive = pyimod02_importers.pyz_archive
        note = "late:" + name
        if note not in archive.toc:
            return None
        own, files = marshal.loads(archive.extract(note))  # noqa: S302 - of our own archive
        folder: str = sys._MEIPASS  # type: ignore[attr-defined] # noqa: SLF001
        try:
            for file in files:
                unpack(os.path.join(folder, file), archive, "late/" + file)
        except OSError as error:
            from awstoe.errors import AwstoeError  # noqa: PLC0415 - hardly ever needed

            raise AwstoeError(
                f"cannot unpack a part of awstoe to {folder}: {error.strerror}",
                hint="free some space there, or name another folder by TMPDIR",
            ) from error
        if not own:
            return None
        spec: ModuleSpec | None = _frozen_importlib_external.spec_from_file_location(
            name, os.path.join(folder, own)
        )
        return spec


def unpack(path: str, archive: object, name: str) -> None:
    """Write a file as a whole, unless it is there.

    Raises:
        OSError: It cannot be written.
    """
    # Two threads may import two modules with the same library.
    with _UNPACKING:
        if os.path.exists(path):
            return
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        new = path + ".new"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "wb") as stream:
            stream.write(archive.extract(name))  # type: ignore[attr-defined] # PyInstaller's reader
        os.replace(new, path)


sys.meta_path.insert(0, LateFiles)
