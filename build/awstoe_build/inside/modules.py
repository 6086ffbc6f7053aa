"""Runs inside the frozen program, before it: modules come out of the program's own file alone.

A step may empty the folder that was unpacked to, as ``rm -rf /tmp/*`` does, and others may put
something in its place. So from here on no module is looked for in it: neither in the base library,
which has nothing that the archive of modules lacks, nor as a file. ``inside/late_loading.py``
finds those that have to be files.
"""

import encodings
import os
import sys

import pyimod02_importers  # type: ignore[import-not-found] # PyInstaller's own

_FOLDER: str = sys._MEIPASS  # type: ignore[attr-defined] # noqa: SLF001

sys.path[:] = [_FOLDER]
encodings.__path__[:] = [os.path.join(_FOLDER, "encodings")]
sys.path_hooks[:] = [pyimod02_importers.PyiFrozenFinder.path_hook]
sys.path_importer_cache.clear()
