"""Runs inside the frozen program before awstoe: modules are only imported from the executable.

A step may remove the unpack folder, as ``rm -rf /tmp/*`` does, and another user may create it
again. So from now on Python does not search it for modules: neither the base library, which has
nothing that the archive of modules lacks, nor files. ``inside/late_loading.py`` finds the extension
modules, which have to be files.
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
